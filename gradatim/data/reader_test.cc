#include "gradatim/data/reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "gradatim/data/source.h"
#include "gradatim/data/testing.h"
#include "gradatim/data/text_file.h"

namespace gradatim::data {
namespace {

using namespace testing;

constexpr const char* kEndings =
    ".csv, .csv.gz, .tsv, .tab, .tsv.gz, .parquet, .arrow, .feather, .libsvm, .svm, .svmlight, "
    ".libsvm.gz and .npy";

// The line with the folder's name taken out.
std::string fault(const TemporaryFolder& folder, const std::string& source) {
  std::string line = error_of([&] { read_table(source); });
  const std::string base = folder.path("");
  for (auto at = line.find(base); at != std::string::npos; at = line.find(base)) {
    line.erase(at, base.size());
  }
  return line;
}

TEST(ReadTable, WhatGzipPackedIsUnpackedAndDamageIsToldInALine) {
  const TemporaryFolder folder;
  std::string text = "a,b\n";
  for (int k = 0; k < 50000; ++k) text += fmt::format("{},{}\n", k, k * k % 97);
  const std::string packed = gzip(text);
  EXPECT_LT(packed.size(), text.size() / 2);
  folder.write("t.csv.gz", packed);
  folder.write("u.CSV", packed + gzip("1,2\n"));  // two members, as of cat
  EXPECT_EQ(read_table(folder.path("t.csv.gz")).rows(), 50000);
  EXPECT_EQ(read_table(folder.path("u.CSV")).rows(), 50001);
  folder.write("cut.csv.gz", packed.substr(0, packed.size() / 2));
  EXPECT_EQ(fault(folder, folder.path("cut.csv.gz")),
            "cut.csv.gz: its compressed data has no end; the file is cut off, copy it again "
            "(GRD-2070)");
  folder.write("libsvm.libsvm.gz", gzip("1 1:2 3:4\n0 2:1\n"));
  EXPECT_EQ(read_table(folder.path("libsvm.libsvm.gz")).rows(), 2);
}

TEST(ReadTable, ReadsAFileAFolderAndAPatternAlike) {
  const TemporaryFolder folder;
  folder.write("part-1.csv", "a,b\n1,x\n");
  folder.write("part-2.csv", "b,a\ny,2.5\n");
  folder.write("_SUCCESS", "");
  folder.write(".hidden.csv", "junk\n");
  folder.write("notes.txt", "junk");
  EXPECT_EQ(read_table(folder.path("part-1.csv")).rows(), 1);
  for (const char* source : {"", "part-*.csv"}) {
    const Table table = read_table(folder.path(source));
    EXPECT_EQ(numbers(table.column("a")), (std::vector<double>{1, 2.5}));
    EXPECT_EQ(cells(table.column("b")), (Texts{"x", "y"}));
  }
}

TEST(ReadTable, TypesAreThoseOfAllFilesTogether) {
  const TemporaryFolder folder;
  folder.write("1.csv", "a\n1\n2\n");
  folder.write("2.csv", "a\nx\n");
  EXPECT_EQ(read_table(folder.path("*.csv")).column("a").categories(), (Categories{"1", "2", "x"}));
}

TEST(ReadTable, FilesOfDifferentColumnsAreRefused) {
  const TemporaryFolder folder;
  folder.write("1.csv", "a,b\n1,2\n");
  folder.write("2.csv", "a\n1\n");
  EXPECT_EQ(fault(folder, folder.path("*.csv")),
            "2.csv lacks the column 'b' of 1.csv; all files need the same columns (GRD-2004)");
  folder.write("2.csv", "a,b,c\n1,2,3\n");
  EXPECT_EQ(fault(folder, folder.path("*.csv")),
            "2.csv has a column 'c' that 1.csv does not have; all files need the same columns "
            "(GRD-2004)");
}

TEST(ReadTable, WhatCannotBeATableIsOneLine) {
  const TemporaryFolder folder;
  EXPECT_EQ(fault(folder, folder.path("none.csv")),
            "cannot read 'none.csv': No such file or directory (GRD-2001)");
  EXPECT_EQ(fault(folder, folder.path("")), "the folder '' holds no table (no file that ends in " +
                                                std::string(kEndings) + ") (GRD-2015)");
  EXPECT_EQ(fault(folder, folder.path("*.csv")), "no file matches '*.csv' (GRD-2015)");
  EXPECT_EQ(
      fault(folder, folder.write("t.xls", "x")),
      "the ending of 't.xls' tells no format; use one of " + std::string(kEndings) + " (GRD-2005)");
  EXPECT_EQ(fault(folder, folder.write("empty.csv", "")),
            "empty.csv is empty; the first line must name the columns (GRD-2009)");
  folder.write("x.npy", "");
  EXPECT_EQ(fault(folder, folder.path("")),
            "'' holds CSV and NumPy files; name one kind, as in '*.npy' (GRD-2015)");
}

TEST(WriteTable, TheEndingTellsTheFormatAndTheFileIsWhole) {
  const TemporaryFolder folder;
  const Table table({numeric_column("x", {1, NAN}), categorical_column("c", {0, -1}, {"a\tb"})});
  write_table(table, folder.path("t.TSV"));
  EXPECT_EQ(cells(read_table(folder.path("t.TSV")).column("c")), (Texts{"a\tb", ""}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path("")), {}), 1)
      << "no temporary file is left";
}

TEST(WriteTable, APathThatCannotBeWrittenIsOneLine) {
  const TemporaryFolder folder;
  const Table table({numeric_column("x", {1})});
  const std::string path = folder.path("no/such/t.csv");
  EXPECT_EQ(error_of([&] { write_table(table, path); }),
            "cannot write '" + path + "': No such file or directory (GRD-2002)");
  EXPECT_EQ(
      error_of([&] { write_table(table, "t.xls"); }),
      "the ending of 't.xls' tells no format; use one of " + std::string(kEndings) + " (GRD-2005)");
  EXPECT_EQ(error_of([&] { write_table(table, "t.npy"); }),
            "NumPy files are read, but not written; write 't.npy' as .csv or .parquet (GRD-2005)");
}

// In a process of its own, since a library that was opened stays open.
TEST(IoLibraryDeathTest, ItsAbsenceIsOneLine) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const TemporaryFolder folder;
  const std::string path = folder.write("t.parquet", "x");
  auto read_without_library = [&] {
    ::setenv("GRADATIM_IO_LIBRARY", "/none.so", 1);
    const std::string line = fault(folder, path);
    std::fputs(line.c_str(), stderr);
    std::_Exit(0);
  };
  EXPECT_EXIT(
      read_without_library(), ::testing::ExitedWithCode(0),
      "'t.parquet' needs libgradatim_io.so, which cannot be opened \\(/none.so: cannot open "
      "shared object file: No such file or directory\\); install pyarrow and build again, "
      "set GRADATIM_IO_LIBRARY, or convert the file to CSV \\(GRD-2014\\)");
}

#ifdef GRADATIM_HAS_IO

Table every_type() {
  return Table(
      {numeric_column("x", {0.1, NAN, -2}), integer_column("i", {1, kMissingInteger, -3}),
       boolean_column("b", {1, 0, 255}), categorical_column("c", {1, -1, 0}, {"u", "v"}),
       integer_column("d", {0, kMissingInteger, 15706}).with_time_unit(TimeUnit::days),
       integer_column("t", {1, kMissingInteger, -1}).with_time_unit(TimeUnit::microseconds)});
}

TEST(IoLibrary, ParquetAndArrowFilesReadBackToTheSameTable) {
  const TemporaryFolder folder;
  const Table table = every_type();
  for (const char* name : {"t.parquet", "t.arrow", "t.feather"}) {
    write_table(table, folder.path(name));
    const Table again = read_table(folder.path(name));
    for (const auto& column : table.columns()) {
      const Column& back = again.column(column.name());
      EXPECT_EQ(cells(back), cells(column)) << name << " " << column.name();
      EXPECT_EQ(back.type(), column.type()) << name << " " << column.name();
      EXPECT_EQ(back.time_unit(), column.time_unit()) << name << " " << column.name();
    }
  }
}

TEST(IoLibrary, FilesOfAFolderAreUnited) {
  const TemporaryFolder folder;
  write_table(Table({categorical_column("c", {0}, {"b"})}), folder.path("1.parquet"));
  write_table(Table({categorical_column("c", {1}, {"b", "a"})}), folder.path("2.parquet"));
  EXPECT_EQ(cells(read_table(folder.path("*.parquet")).column("c")), (Texts{"b", "a"}));
}

TEST(IoLibrary, ADamagedFileIsOneLine) {
  const TemporaryFolder folder;
  const std::string line = fault(folder, folder.write("bad.parquet", "PAR1 nothing PAR1"));
  EXPECT_EQ(line.substr(0, 13), "bad.parquet: ");
  EXPECT_NE(line.find("(GRD-2016)"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(IoLibrary, ATableWithoutRowsIsRefused) {
  const TemporaryFolder folder;
  write_table(Table({numeric_column("x", {})}), folder.path("t.parquet"));
  EXPECT_EQ(fault(folder, folder.path("t.parquet")), "t.parquet has no rows (GRD-2009)");
}

#endif  // GRADATIM_HAS_IO

}  // namespace
}  // namespace gradatim::data
