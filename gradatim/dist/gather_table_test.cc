#include "gradatim/dist/gather_table.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/data/sparse.h"
#include "gradatim/dist/table_bytes.h"
#include "gradatim/dist/testing.h"
#include "gradatim/dist/threads.h"

namespace gradatim::dist {
namespace {

using data::Column;
using data::Storage;
using data::Table;
using data::testing::error_of;

// Every type and storage; strided, packed, with nulls, sparse, in several chunks.
Table of_every_kind() {
  static const double strided[] = {0.5, -1, NAN, -1, -0.0, -1};
  static const std::uint8_t bits[] = {0b101, 0b011};
  static const std::uint32_t entry_rows[] = {0, 2};
  static const float entries[] = {1.5F, NAN};
  std::vector<Column> columns{
      data::numeric_column("number", {1.25, NAN, INFINITY}),
      data::integer_column("whole", {1, data::kMissingInteger, std::int64_t{1} << 60}),
      data::integer_column("day", {0, -1, 15706}).with_time_unit(data::TimeUnit::days),
      data::boolean_column("truth", {1, 0, 255}),
      data::categorical_column("word", {1, -1, 0}, {"x", "", "never"}),
      Column("strided", data::ColumnType::numeric, Storage::f64,
             {{.rows = 2, .data = strided, .stride = 16},
              {.rows = 1, .data = strided + 4, .stride = 16}},
             nullptr),
      Column("bits", data::ColumnType::boolean, Storage::bit,
             {{.rows = 3, .data = bits, .validity = bits + 1}}, nullptr),
      Column("sparse", data::ColumnType::numeric, Storage::f32,
             {{.rows = 3,
               .data = entries,
               .stride = 4,
               .sparse = true,
               .entry_rows = entry_rows,
               .entries = 2}},
             nullptr)
          .with_absent(data::Absent::missing),
      data::empty_column("nothing", 3)};
  return Table(std::move(columns), "kinds");
}

TEST(TableBytes, AreTheTableAgain) {
  const Table table = of_every_kind();
  const Table again = table_of_bytes(table_bytes(table), "again");
  EXPECT_EQ(difference(again, table), "");
  EXPECT_TRUE(again.column("sparse").sparse());
  EXPECT_EQ(again.column("strided").chunks().size(), 1U);
  EXPECT_EQ(difference(table_of_bytes(table_bytes(Table()), "again"), Table()), "");
}

TEST(TableBytes, ThatEndTooEarlyAreRefused) {
  const std::string whole = table_bytes(of_every_kind());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(error_of([&] { table_of_bytes(whole.substr(0, size), "the table of rank 1"); }),
              "the table of rank 1 did not arrive whole; start all ranks alike (GRD-5010)")
        << size << " of " << whole.size();
  }
}

TEST(TableBytes, OfAnotherProgramAreRefused) {
  const std::string whole = table_bytes(of_every_kind());
  std::string more = whole;
  ++more[0];  // a row without cells
  EXPECT_TRUE(error_of([&] { table_of_bytes(more, "rows"); }).ends_with("(GRD-5010)"));
  int refused = 0;
  for (std::size_t at = 0; at + 8 <= whole.size(); at += 8) {
    std::string changed = whole;
    changed[at + 7] = static_cast<char>(0x80);  // a number becomes hugely negative
    refused += error_of([&] { table_of_bytes(changed, "rows"); }).ends_with("(GRD-5010)");
  }
  EXPECT_GT(refused, 20);
}

TEST(GatherTable, IsTheRowsOfAllRanksInTheirOrder) {
  const Table whole = of_every_kind();
  for (const int ranks : {1, 2, 3, 4}) {
    run_ranks(ranks, [&](Group& group) {
      const Table all = gather(group, rows_of(whole, group));
      EXPECT_EQ(difference(all, whole), "") << ranks << " ranks";
      EXPECT_EQ(all.source(), "kinds");
    });
  }
}

TEST(GatherTable, UnitesCategoriesAndKindsOfNumbers) {
  const std::vector<Table> parts{
      Table({data::categorical_column("c", {0, -1}, {"b"}), data::integer_column("n", {1, 2})}),
      Table({data::categorical_column("c", {}, {}), data::integer_column("n", {})}),
      Table(
          {data::categorical_column("c", {1, 0}, {"b", "a"}), data::numeric_column("n", {.5, 3})})};
  run_ranks(3, [&](Group& group) {
    const Table all = gather(group, parts[group.rank()]);
    EXPECT_EQ(all.column("c").categories(), (data::Categories{"b", "a"}));
    EXPECT_EQ(data::testing::cells(all.column("c")), (data::testing::Texts{"b", "", "a", "b"}));
    EXPECT_EQ(data::testing::numbers(all.column("n")), (std::vector{1.0, 2.0, 0.5, 3.0}));
  });
}

TEST(GatherTable, EveryRankLearnsWhichColumnIsLacking) {
  run_ranks(2, [&](Group& group) {
    std::vector<Column> columns{data::numeric_column("x", {1})};
    if (group.rank() == 0) columns.push_back(data::numeric_column("y", {1}));
    EXPECT_EQ(error_of([&] { gather(group, Table(columns)); }),
              "the table of rank 1 lacks the column 'y' of the table of rank 0; all files need the "
              "same columns (GRD-2004)");
  });
}

}  // namespace
}  // namespace gradatim::dist
