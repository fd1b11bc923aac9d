// The shards of all ranks are the table of one process, and its errors are theirs.
#include "gradatim/dist/read_shard.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "gradatim/core/observer.h"
#include "gradatim/core/philox.h"
#include "gradatim/data/io_library.h"
#include "gradatim/data/slice.h"
#include "gradatim/dist/testing.h"
#include "gradatim/dist/threads.h"

namespace gradatim::dist {
namespace {

using data::ReadOptions;
using data::Table;
using data::testing::error_of;
using data::testing::TemporaryFolder;
using data::testing::Texts;

struct Warnings final : Observer {
  Texts texts;
  void on_warning(const std::string& text) override { texts.push_back(text); }
};

// What reading gave: a table, or an error's line.
struct Answer {
  TablePart shard;
  std::string error;
  Texts warnings;
};

template <class Read>
Answer answer_of(ReadOptions options, Read read) {
  Answer answer;
  Warnings warnings;
  options.observer = &warnings;
  answer.error = error_of([&] { answer.shard = read(options); });
  answer.warnings = warnings.texts;
  return answer;
}

std::vector<Answer> answers(const std::string& source, int ranks, const ReadOptions& options) {
  std::vector<Answer> all(ranks);
  run_ranks(ranks, [&](Group& group) {
    all[group.rank()] =
        answer_of(options, [&](const ReadOptions& own) { return read_shard(group, source, own); });
  });
  return all;
}

// "" where the ranks' answers are those of one process.
std::string compare(const Answer& one, const std::vector<Answer>& ranks) {
  std::int64_t first = 0;
  bool met = one.error == "no error";
  for (std::size_t r = 0; r < ranks.size(); ++r) {
    const Answer& rank = ranks[r];
    const std::string who = fmt::format("rank {} of {}: ", r, ranks.size());
    if (one.error != "no error") {
      const bool own = rank.error == one.error;
      const bool others = rank.error.find(" stopped: " + one.error) != std::string::npos;
      if (!own && !others) return who + rank.error + ", not " + one.error;
      met = met || own;
      continue;
    }
    if (rank.error != "no error") return who + rank.error;
    const Table& whole = one.shard.table;
    const Table& part = rank.shard.table;
    if (rank.shard.first_row != first) return who + "another first row";
    if (rank.shard.total_rows != whole.rows()) return who + "another total";
    if (first + part.rows() > whole.rows()) return who + "too many rows";
    const auto differs = difference(part, data::slice(whole, first, part.rows()));
    if (!differs.empty()) return who + differs;
    if (part.source() != whole.source()) return who + "another source";
    if (rank.warnings != one.warnings) return who + "other warnings";
    first += part.rows();
  }
  if (!met) return "no rank has the error itself";
  return one.error == "no error" && first != one.shard.table.rows() ? "rows are lost" : "";
}

std::string compare(const std::string& source, const ReadOptions& options = {}) {
  const Answer one = answer_of(options, [&](const ReadOptions& own) {
    TablePart shard{.table = data::read_table(source, own)};
    shard.total_rows = shard.table.rows();
    return shard;
  });
  for (const int ranks : {1, 2, 3, 4, 7}) {
    const auto differs = compare(one, answers(source, ranks, options));
    if (!differs.empty()) return differs;
  }
  return "";
}

// Of a text in a file.
std::string compare_text(const TemporaryFolder& folder, const std::string& text,
                         const ReadOptions& options = {}) {
  return compare(folder.write("t.csv", text), options);
}

TEST(ReadShard, CutsTextBetweenRecordsWhateverTheyHold) {
  const TemporaryFolder folder;
  for (const std::string text : {
           "a,b\n1,x\n2,y\n3,z\n4,x\n",
           "a,b\r\n1,x\r\n2,y\r\n3,z\r\n4,x",
           "a,b\r1,x\r2,y\r3,z\r",
           "\xEF\xBB\xBF\n\n a , b\n\n\n1, x \n  \n2 ,y\n\n\n   \n",
           "a,b\n1,\"x\n,1\n\"\"y\"\" \"\n2,\"\n\n\n\n\n\n\n\n\n\n\n\n\"\n3,z\n",
           "a,b\n5\" steel,1\n6\" iron,2\n\"7\"\" \n\",3\n",
           "a;b\n1,5;\"x;\n\"\n2,5;y\n",
           "a\n1\n2",
           "a,b\n1,\n2,",
           "\"a\n\n,\",b\n1,x\n",
           "a,b\n1,\xF0\x9F\x98\x80\xF0\x9F\x98\x80\xF0\x9F\x98\x80\n2,\xC3\xBC\n",
       }) {
    EXPECT_EQ(compare_text(folder, text), "") << text;
  }
}

TEST(ReadShard, EveryCutOfARecordWithLineEndsIsFound) {
  const TemporaryFolder folder;
  for (int before = 0; before < 40; ++before) {  // the cut wanders through the quoted field
    const std::string text = "a,b\n" + std::string(before, 'w') +
                             ",1\n\"x\n\"\",\n,\n\"\"\n\",2\n" + std::string(40 - before, 'v') +
                             ",3\n";
    EXPECT_EQ(compare_text(folder, text), "") << text;
  }
}

TEST(ReadShard, TypesAndCategoriesAreThoseOfAllRows) {
  const TemporaryFolder folder;
  for (const char* last : {"5", "2.5", "x", "007", "", "NA", "9007199254740993", "true",
                           "2013-01-01", "2013-01-01T05:00:00", "\"NA\""}) {
    for (const char* usual : {"1", "0.5", "true", "", "2013-01-01", "9007199254740993", "y"}) {
      std::string text = "id,cell,word\n";
      for (int i = 0; i < 20; ++i) text += fmt::format("{},{},w{}\n", i, usual, 20 - i % 7);
      text += fmt::format("20,{},last\n", last);
      EXPECT_EQ(compare_text(folder, text), "") << usual << ", then " << last;
    }
  }
}

TEST(ReadShard, ASurpriseBehindTheFirstRowsIsTheSameForAll) {
  const TemporaryFolder folder;
  for (const char* late : {"2.5", "x", "007", "9007199254740993"}) {
    std::string text = "a,b\n";
    for (int i = 0; i < 4000; ++i) text += fmt::format("{},9007199254740993\n", i);
    EXPECT_EQ(compare_text(folder, text + late + ",1\n5,0.5\n" + late + late + ",1\n"), "") << late;
  }
}

TEST(ReadShard, WhatIsAskedOfColumnsHolds) {
  const TemporaryFolder folder;
  const auto schema = data::parse_schema(
      R"({"columns": {"m": "categorical", "a": "numeric", "d": "date", "t": "boolean"}})", "s");
  std::string text = "m,a,d,t,x\n";
  for (int i = 0; i < 30; ++i)
    text += fmt::format("{},{},2013-01-0{},{},7\n", i, i, 1 + i % 9, i % 2);
  EXPECT_EQ(compare_text(folder, text, {.schema = &schema}), "");
  EXPECT_EQ(compare_text(folder, text, {.expected = &schema}), "");
  EXPECT_EQ(compare_text(folder, text + "1,x,,,\n1,y,,,\n", {.schema = &schema}), "");
  EXPECT_EQ(compare_text(folder, text + "1,,x,,\n", {.expected = &schema}), "");
  const auto lacking = data::parse_schema(R"({"columns": {"none": "numeric"}})", "s");
  EXPECT_EQ(compare_text(folder, text, {.schema = &lacking}), "");
}

TEST(ReadShard, AFaultInOnePartIsTheErrorOfAllWithItsLineInTheWhole) {
  const TemporaryFolder folder;
  std::string good;
  for (int i = 0; i < 30; ++i) good += fmt::format("{},\"w\n{}\"\n", i, i);
  const std::string nul("1,\0\n", 4);
  for (const std::string& bad : {std::string("1\n"), std::string("1,2,3\n"), std::string("1,\"x\n"),
                                 std::string("1,\"x\"y\n"), std::string("1,\xFCx\n"), nul}) {
    EXPECT_EQ(compare_text(folder, "a,b\n" + bad + good), "") << bad;
    EXPECT_EQ(compare_text(folder, "a,b\n" + good + bad), "") << bad;
    EXPECT_EQ(compare_text(folder, "a,b\n" + good + bad + good + bad), "") << bad;
    EXPECT_EQ(compare_text(folder, "a,b\n" + good + nul + good + bad), "") << bad;
  }
  for (const char* text :
       {"", "\n\n", "a,b", "a,b\n\n\n", "a,a\n1,2\n", "\xFF\xFE", "a,\"b\n1,2\n"}) {
    EXPECT_EQ(compare_text(folder, text), "") << text;
  }
}

TEST(ReadShard, TheRanksThatMetNoErrorNameTheOneThatDid) {
  const TemporaryFolder folder;
  std::string text = "a,b\n";
  for (int i = 0; i < 3000; ++i) text += "1,2\n";
  const auto all = answers(folder.write("t.csv", text + "1\n"), 2, {});
  const std::string line =
      folder.path("t.csv") +
      ", line 3002: 1 field found, but the first line names 2; is a separator or "
      "a quote missing or too many? (GRD-2006)";
  EXPECT_EQ(all[0].error, "rank 1 stopped: " + line + " (GRD-5003)");
  EXPECT_EQ(all[1].error, line);
}

TEST(ReadShard, SeveralFilesAreOneRunOfRows) {
  const TemporaryFolder folder;
  folder.write("1.csv", "a,b\n1,x\n2,y\n");
  folder.write("2.csv", "b,a\n\"q\nq\",2.5\n");
  folder.write("3.csv", "a;b\n");
  folder.write("4.csv", "b\ta\n");
  std::string rows = "a,b\n";
  for (int i = 0; i < 50; ++i) rows += fmt::format("{},\"z\n{}\"\n", i, i);
  folder.write("5.csv", rows);
  EXPECT_EQ(compare(folder.path("")), "");
  EXPECT_EQ(compare(folder.path("[1234].csv")), "");
  EXPECT_EQ(compare(folder.path("[34].csv")), "") << "names without rows";
  folder.write("6.csv", "a\n1\n");
  EXPECT_EQ(compare(folder.path("")), "") << "another header";
  folder.write("5.csv", rows + "1,\x80\n");
  EXPECT_EQ(compare(folder.path("")), "") << "the fault of the file before comes first";
  folder.write("3.csv", "c,d\n");
  EXPECT_EQ(compare(folder.path("")), "") << "and so do the names of the file before";
  folder.write("3.csv", std::string("a;b\n1;\0\n", 8));
  EXPECT_EQ(compare(folder.path("")), "") << "and its bytes";
  folder.write("3.csv", "a;b\n");
  folder.write("6.csv", "a,b\n1\n");
  folder.write("5.csv", rows + rows + rows + rows);
  EXPECT_EQ(compare(folder.path("")), "") << "types of some, and a ragged row";
}

std::string random_cell(const Philox& draws, std::uint64_t at, std::uint32_t kinds) {
  static const Texts kCells{"",
                            "NA",
                            "\"NA\"",
                            "1",
                            "-7",
                            "0.5",
                            "1e3",
                            "true",
                            "FALSE",
                            "007",
                            "2013-01-31",
                            "2013-01-31 05:00",
                            "x",
                            "y",
                            "\"a,b\"",
                            "\"two\nlines\"",
                            "\"\"\"\"",
                            "5\" x",
                            " z ",
                            "\"q\" ",
                            "\"\n\n\"",
                            "\"\"",
                            "9007199254740993",
                            "\xC3\xBC"};
  return kCells[draws.below(std::min<std::uint32_t>(kinds, kCells.size()), at)];
}

std::string random_table(std::uint64_t seed) {
  const Philox draws(seed, Stream::data);
  std::uint64_t at = 0;
  const auto columns = 1 + draws.below(4, at++);
  const auto rows = draws.below(30, at++);
  const auto kinds = 4 + draws.below(24, at++);
  const std::string line_end = draws.below(3, at++) == 0 ? "\r\n" : "\n";
  std::string text;
  for (std::uint32_t c = 0; c < columns; ++c) text += (c > 0 ? "," : "") + fmt::format("c{}", c);
  for (std::uint32_t r = 0; r < rows; ++r) {
    text += line_end;
    if (draws.below(8, at++) == 0) text += " " + line_end;
    for (std::uint32_t c = 0; c < columns; ++c) {
      text += (c > 0 ? "," : "") + random_cell(draws, at++, kinds);
    }
    if (draws.below(400, at++) == 0) text += ",more";
    if (draws.below(400, at++) == 0) text += ",\"open";
  }
  return draws.below(2, at++) == 0 ? text : text + line_end;
}

TEST(ReadShard, RandomTextsAreReadAsByOneProcess) {
  const TemporaryFolder folder;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = random_table(seed);
    ASSERT_EQ(compare_text(folder, text), "") << "seed " << seed << ":\n" << text;
  }
}

TEST(ReadShard, OfOtherFormatsEachKeepsItsPart) {
  const TemporaryFolder folder;
  std::string lines;
  for (int i = 0; i < 20; ++i) lines += fmt::format("{} 1:{} {}:0.5\n", i % 2, i, 2 + i % 5);
  EXPECT_EQ(compare(folder.write("t.libsvm", lines)), "");
  EXPECT_EQ(compare(folder.write("t.libsvm", lines), {.sparse_absent = data::Absent::missing}), "");
  EXPECT_EQ(compare(folder.write("t.libsvm", lines + "x\n")), "");
}

TEST(ReadShard, WhatIsNotThereOrNoFileIsRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(compare(folder.path("none.csv")), "");
  EXPECT_EQ(compare(folder.path("*.csv")), "");
  for (const auto& answer : answers("-", 2, {})) {
    EXPECT_EQ(answer.error, "'-' is no file that 2 processes can read; write it to one (GRD-5011)");
  }
}

TEST(ReadShard, RanksThatSeeOtherFilesAreTold) {
  const TemporaryFolder folder;
  folder.write("1.csv", "a\n1\n");
  folder.write("2.csv", "a\n1\n22\n");
  run_ranks(2, [&](Group& group) {
    const std::string source = folder.path(group.rank() == 0 ? "1.csv" : "2.csv");
    const auto error = error_of([&] { read_shard(group, source); });
    EXPECT_TRUE(error.starts_with("rank 1 has another list of files")) << error;
    EXPECT_TRUE(error.ends_with("(GRD-5004)")) << error;
  });
}

#ifdef GRADATIM_HAS_IO

Table rows_of_every_kind(int rows, int offset) {
  std::vector<double> numbers;
  std::vector<std::int64_t> integers;
  std::vector<std::uint8_t> truths;
  std::vector<std::int32_t> codes;
  data::Categories words;
  for (int i = 0; i < rows; ++i) {
    numbers.push_back(i % 5 == 0 ? NAN : (i + offset) * 0.5);
    integers.push_back(i % 7 == 0 ? data::kMissingInteger : i + offset);
    truths.push_back(i % 3 == 0 ? 255 : i % 2);
    codes.push_back(i % 6 == 0 ? -1 : i / 4);
    if (i % 4 == 0) words.push_back(fmt::format("w{}", (i + offset) % 23 + i));
  }
  return Table({data::numeric_column("x", numbers), data::integer_column("n", integers),
                data::boolean_column("t", truths), data::categorical_column("c", codes, words),
                data::integer_column("d", integers).with_time_unit(data::TimeUnit::days)});
}

std::string write_parquet(const TemporaryFolder& folder, const std::string& name,
                          const Table& table, std::int64_t rows_a_group) {
  return folder.write(name, data::encode_parquet(table, rows_a_group));
}

TEST(ReadShard, ParquetIsCutAtRowGroupsOrWithin) {
  const TemporaryFolder folder;
  for (const std::int64_t rows_a_group : {1, 7, 10, 60, 1000}) {
    const Table table = rows_of_every_kind(103, 0);
    EXPECT_EQ(compare(write_parquet(folder, "t.parquet", table, rows_a_group)), "") << rows_a_group;
  }
  EXPECT_EQ(compare(write_parquet(folder, "t.parquet", rows_of_every_kind(2, 0), 1)), "");
  EXPECT_EQ(compare(write_parquet(folder, "t.parquet", rows_of_every_kind(0, 0), 1)), "");
  EXPECT_EQ(compare(folder.write("t.parquet", "no table")), "");
}

TEST(ReadShard, ManyRowGroupsAreKeptWhole) {
  const TemporaryFolder folder;
  const auto path = write_parquet(folder, "t.parquet", rows_of_every_kind(1030, 0), 20);
  for (const auto& answer : answers(path, 3, {})) EXPECT_EQ(answer.shard.first_row % 20, 0);
}

TEST(ReadShard, ParquetFilesAreOneRunOfRowsWithOneType) {
  const TemporaryFolder folder;
  write_parquet(folder, "1.parquet", rows_of_every_kind(40, 0), 9);
  write_parquet(folder, "2.parquet", rows_of_every_kind(0, 0), 9);
  write_parquet(folder, "3.parquet", rows_of_every_kind(55, 11), 20);
  EXPECT_EQ(compare(folder.path("")), "");
  Table other = rows_of_every_kind(30, 5);
  std::vector<data::Column> columns(other.columns().begin(), other.columns().end());
  columns[1] = data::numeric_column("n", data::testing::numbers(columns[1]));
  write_parquet(folder, "4.parquet", Table(columns), 9);
  EXPECT_EQ(compare(folder.path("")), "") << "integers and numbers";
  write_parquet(folder, "5.parquet", Table(columns).without("x"), 9);
  EXPECT_EQ(compare(folder.path("")), "") << "a column is lacking";
}

TEST(ReadShard, ASchemaConvertsParquetWithRowsCountedInTheWhole) {
  const TemporaryFolder folder;
  const auto path = write_parquet(folder, "t.parquet", rows_of_every_kind(50, 0), 9);
  const auto words =
      data::parse_schema(R"({"columns": {"x": "categorical", "n": "numeric"}})", "s");
  EXPECT_EQ(compare(path, {.schema = &words}), "");
  const auto whole = data::parse_schema(R"({"columns": {"n": "boolean", "x": "integer"}})", "s");
  EXPECT_EQ(compare(path, {.schema = &whole}), "");
  std::vector<double> last(50, 1.0);
  last[45] = 0.5;
  last[30] = 2;
  const Table table({data::numeric_column("a", last), data::numeric_column("b", last)});
  const auto path2 = write_parquet(folder, "u.parquet", table, 9);
  const auto both = data::parse_schema(R"({"columns": {"b": "integer", "a": "boolean"}})", "s");
  EXPECT_EQ(compare(path2, {.schema = &both}), "");
  const auto none = data::parse_schema(R"({"columns": {"none": "integer"}})", "s");
  EXPECT_EQ(compare(path2, {.schema = &none}), "");
}

TEST(ReadShard, ArrowFilesAreReadByAll) {
  const TemporaryFolder folder;
  data::write_table(rows_of_every_kind(50, 0), folder.path("t.arrow"));
  EXPECT_EQ(compare(folder.path("t.arrow")), "");
}

#endif

}  // namespace
}  // namespace gradatim::dist
