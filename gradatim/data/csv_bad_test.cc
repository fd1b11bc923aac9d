// Bad CSV: every fault is one line that says where it is and what to do.
#include <gtest/gtest.h>

#include <string>

#include "gradatim/data/csv.h"
#include "gradatim/data/csv_scanner.h"
#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

std::string fault(std::string_view text, const ReadOptions& options = {}) {
  return error_of([&] { parse_csv(text, "t.csv", options); });
}

TEST(BadCsv, ARaggedRowIsNamedByItsLine) {
  EXPECT_EQ(fault("a,b,c\n1,2,3\n\n\"x\ny\",2\n"),
            "t.csv, line 4: 2 fields found, but the first line names 3; is a separator or a quote "
            "missing or too many? (GRD-2006)");
  EXPECT_EQ(fault("a,b\n1,2,3\n"),
            "t.csv, line 2: 3 fields found, but the first line names 2; is a separator or a quote "
            "missing or too many? (GRD-2006)");
}

TEST(BadCsv, AnEmptyFileHasNoNames) {
  for (const char* text : {"", "\n\n", "\xEF\xBB\xBF", "  \r\n"}) {
    EXPECT_EQ(fault(text), "t.csv is empty; the first line must name the columns (GRD-2009)");
  }
}

TEST(BadCsv, NamesAloneAreNoRows) {
  EXPECT_EQ(fault("a,b\n"), "t.csv names its columns, but has no rows (GRD-2009)");
}

TEST(BadCsv, BytesThatAreNotUtf8AreFoundByLineAndOffset) {
  EXPECT_EQ(fault("a,b\n1,gr\xFC"
                  "n\n"),
            "t.csv, line 2: byte 0xFC at offset 8 is not UTF-8; save the file as UTF-8 (GRD-2007)");
  EXPECT_EQ(fault(std::string_view("\xFF\xFE"
                                   "a\0",
                                   4)),
            "t.csv is UTF-16 text; save it as UTF-8 (GRD-2007)");
}

TEST(BadCsv, ANulByteIsFoundByLineAndOffset) {
  EXPECT_EQ(fault(std::string_view("a,b\n1,\0\n", 8)),
            "t.csv, line 2: a NUL byte at offset 6; a text table has none (GRD-2007)");
}

TEST(BadCsv, AQuoteThatIsNeverClosedIsNamedWhereItOpens) {
  EXPECT_EQ(fault("a,b\n1,2\n3,\"x\n4,5\n"),
            "t.csv, line 3: a quote opens here and is never closed; close or double it (GRD-2008)");
}

TEST(BadCsv, TextAfterAClosingQuoteIsRefused) {
  EXPECT_EQ(
      fault("a,b\n1,\"x\"y\n"),
      "t.csv, line 2: text follows the quote that closes this field; double the quotes inside "
      "a field (GRD-2008)");
}

TEST(BadCsv, AGiganticFieldIsRefused) {
  const std::string giant(CsvScanner::kLongestField + 1, 'x');
  EXPECT_EQ(
      fault("a,b\n1," + giant + "\n"),
      "t.csv, line 2: a field of 1048577 bytes; the longest that is read has 1048576; is this "
      "a table? (GRD-2008)");
  EXPECT_EQ(fault("a,b\n1,\"" + giant + "\"\n"),
            "t.csv, line 2: the quote that opens here holds over 1048576 bytes; close or double it "
            "(GRD-2008)");
  EXPECT_EQ(parse_csv("a,b\n1," + giant.substr(1) + "\n", "t.csv").rows(), 1);
}

TEST(BadCsv, ARowOfAMillionFieldsIsOnlyCounted) {
  EXPECT_EQ(fault("a,b\n1,2" + std::string(999'998, ',') + "\n"),
            "t.csv, line 2: 1000000 fields found, but the first line names 2; is a separator or a "
            "quote missing or too many? (GRD-2006)");
}

TEST(BadCsv, AHeaderOfManyColumnsIsATable) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "c" + std::to_string(i) + ",";
  text += "last\n" + std::string(100'000, ',') + "1\n";
  const Table table = parse_csv(text, "t.csv");
  EXPECT_EQ(table.columns().size(), 100'001U);
  EXPECT_EQ(table.column("last").cell(0), "1");
}

TEST(BadCsv, ColumnNamesAreDistinct) {
  EXPECT_EQ(fault("age,name,age\n1,x,2\n"),
            "t.csv: columns 1 and 3 are both named 'age'; rename one of them (GRD-2003)");
}

TEST(BadCsv, TextWhereAModelExpectsANumberIsNamedByLineAndColumn) {
  const Schema expected = parse_schema(R"({"columns": {"age": "integer"}})", "model");
  EXPECT_EQ(fault("name,age\nx,1\ny,forty-two\n", {.expected = &expected}),
            "t.csv, line 3, column 'age': 'forty-two' is not a number, which the model was trained "
            "on; correct the cell or leave it empty (GRD-2010)");
}

TEST(BadCsv, ACellThatTheSchemaForbidsIsNamedByLineAndColumn) {
  const Schema schema = parse_schema(R"({"columns": {"a": "integer", "d": "date"}})", "s.json");
  EXPECT_EQ(
      fault("a,d\n1.5,\n", {.schema = &schema}),
      "t.csv, line 2, column 'a': '1.5' is not an integer, which the schema asks for; correct "
      "the cell or leave it empty (GRD-2010)");
  EXPECT_EQ(
      fault("a,d\n1,31.1.2013\n", {.schema = &schema}),
      "t.csv, line 2, column 'd': '31.1.2013' is not a date like 2013-01-31, which the schema "
      "asks for; correct the cell or leave it empty (GRD-2010)");
}

TEST(BadCsv, ALongCellIsCutInTheMessage) {
  const Schema schema = parse_schema(R"({"columns": {"a": "numeric"}})", "s.json");
  const std::string cell = "\"" + std::string(39, 'x') + "\xC3\xBC\"";
  EXPECT_EQ(
      fault("a,b\n" + cell + ",1\n", {.schema = &schema}),
      "t.csv, line 2, column 'a': '" + std::string(39, 'x') +
          "...' is not a number, which the schema asks for; correct the cell or leave it empty "
          "(GRD-2010)");
}

TEST(BadCsv, ASchemaForAColumnThatIsNotThereNamesTheNearest) {
  const Schema schema = parse_schema(R"({"columns": {"mnth": "categorical"}})", "s.json");
  EXPECT_EQ(fault("month,day\n1,2\n", {.schema = &schema}),
            "the schema names a column 'mnth', which t.csv does not have; did you mean 'month'? "
            "(GRD-2004)");
}

}  // namespace
}  // namespace gradatim::data
