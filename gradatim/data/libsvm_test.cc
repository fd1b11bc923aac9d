#include "gradatim/data/libsvm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/data/reader.h"
#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using testing::cells;
using testing::error_of;
using testing::numbers;
using testing::Texts;

Texts names(const Table& table) {
  Texts names;
  for (const auto& column : table.columns()) names.push_back(column.name());
  return names;
}

TEST(Libsvm, NamesOnlyTheIndicesThatOccurInTheirOrder) {
  const Table table = parse_libsvm("1 12:0.5 3:2\n0 3:-1\n+1\n", "a.libsvm");
  EXPECT_EQ(names(table), (Texts{"label", "x3", "x12"}));
  EXPECT_EQ(cells(table.column("label")), (Texts{"1", "0", "1"}));
  EXPECT_EQ(numbers(table.column("x3")), (std::vector<double>{2, -1, 0}));
  EXPECT_EQ(numbers(table.column("x12")), (std::vector<double>{0.5, 0, 0}));
  EXPECT_TRUE(table.column("x3").sparse());
  EXPECT_EQ(table.column("label").type(), ColumnType::integer);
}

TEST(Libsvm, KeepsQueriesAsAColumnAndForgetsComments) {
  const Table table =
      parse_libsvm("# a file\n2.5 qid:7 1:1 # docid = 3\r\n\n0 qid:9 1:2\n", "a.svm");
  EXPECT_EQ(names(table), (Texts{"label", "qid", "x1"}));
  EXPECT_EQ(cells(table.column("qid")), (Texts{"7", "9"}));
  EXPECT_EQ(table.column("label").type(), ColumnType::numeric);
}

TEST(Libsvm, AbsentIsMissingWhereAsked) {
  const Table table = parse_libsvm("1 1:5\n0 2:0\n", "a.svm", {.sparse_absent = Absent::missing});
  EXPECT_TRUE(std::isnan(numbers(table.column("x1"))[1]));
  EXPECT_EQ(numbers(table.column("x2"))[1], 0.0);
}

TEST(Libsvm, HasTheColumnsThatAModelExpects) {
  Schema expected;
  for (const char* name : {"x1", "x9", "x01", "other"}) expected.columns.push_back({.name = name});
  const Table table = parse_libsvm("1 1:5\n", "a.svm", {.expected = &expected});
  EXPECT_EQ(names(table), (Texts{"label", "x1", "x9"}));
  EXPECT_EQ(numbers(table.column("x9")), (std::vector<double>{0}));
}

TEST(Libsvm, BadInputNamesLineAndToken) {
  const auto error = [](const char* text) {
    return error_of([&] { parse_libsvm(text, "a.svm"); });
  };
  EXPECT_EQ(error("1 1:2\n1,3 1:2\n"),
            "a.svm, line 2: '1,3' lists several labels, but a model learns one; keep the "
            "first, or write a file a label (GRD-2038)");
  EXPECT_EQ(error("1:2 3:4\n"),
            "a.svm, line 1: '1:2' stands where the label should; begin the line with a "
            "number, 0 where it is unknown (GRD-2038)");
  EXPECT_EQ(error("cat 3:4\n"),
            "a.svm, line 1: 'cat' is no label; begin the line with a number (GRD-2038)");
  EXPECT_EQ(error("\n1 3\n"),
            "a.svm, line 2: '3' is not index:value with a whole number as index (GRD-2038)");
  EXPECT_EQ(error("1 3:x\n"),
            "a.svm, line 1: '3:x' is not index:value with a number as value (GRD-2038)");
  EXPECT_EQ(error("1 -3:1\n"),
            "a.svm, line 1: '-3:1' has an index outside 0 to 2147483647 (GRD-2038)");
  EXPECT_EQ(error("1 3:1 3:1\n"),
            "a.svm, line 1: '3:1' gives a feature that the line has already (GRD-2038)");
  EXPECT_EQ(error("1 qid:a 3:1\n"),
            "a.svm, line 1: 'qid:a' is not qid:N with a whole number N (GRD-2038)");
  EXPECT_EQ(error("1 qid:1 3:1\n1 3:1\n"),
            "a.svm, line 2: '3:1' follows a label without qid, but the lines before have "
            "one; give every line a qid, or none (GRD-2038)");
}

TEST(Libsvm, SeveralFilesAreOneTable) {
  const testing::TemporaryFolder folder;
  folder.write("a.svm", "1 1:1\n");
  folder.write("b.svm", "0 2:1");
  const Table table = read_table(folder.path("*.svm"));
  EXPECT_EQ(names(table), (Texts{"label", "x1", "x2"}));
  EXPECT_EQ(numbers(table.column("x2")), (std::vector<double>{0, 1}));
}

}  // namespace
}  // namespace gradatim::data
