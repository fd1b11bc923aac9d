#include "gradatim/data/sparse.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/data/check.h"
#include "gradatim/data/concat.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using testing::cells;
using testing::error_of;
using testing::numbers;
using testing::Texts;
using Numbers = std::vector<double>;

//  1 0 2
//  0 0 3
//  4 5 0
struct Matrix {
  std::vector<double> cells;
  std::vector<std::int32_t> places;
  std::vector<std::int32_t> offsets;
  bool by_rows = true;

  SparseMatrix view() const {
    return {.rows = 3,
            .columns = 3,
            .by_rows = by_rows,
            .cells = cells.data(),
            .entries = static_cast<std::int64_t>(cells.size()),
            .offsets = offsets.data(),
            .places = places.data()};
  }
  Table table(Absent absent = Absent::zero) const {
    return sparse_table(view(), std::vector<std::string>{"a", "b", "c"}, absent);
  }
};

const Matrix kByRows{{1, 2, 3, 4, 5}, {0, 2, 2, 0, 1}, {0, 2, 3, 5}};
const Matrix kByColumns{{1, 4, 5, 2, 3}, {0, 2, 2, 0, 1}, {0, 2, 3, 5}, false};

void expect_the_matrix(const Table& table) {
  EXPECT_EQ(numbers(table.column("a")), (Numbers{1, 0, 4}));
  EXPECT_EQ(numbers(table.column("b")), (Numbers{0, 0, 5}));
  EXPECT_EQ(numbers(table.column("c")), (Numbers{2, 3, 0}));
}

TEST(Sparse, RowsAndColumnsGiveTheSameTable) {
  expect_the_matrix(kByRows.table());
  expect_the_matrix(kByColumns.table());
}

TEST(Sparse, SortedColumnsAreUsedWhereTheyLie) {
  const Table table = kByColumns.table();
  EXPECT_EQ(table.column("b").chunks()[0].data, kByColumns.cells.data() + 2);
}

TEST(Sparse, EntriesInAnyOrderAreSortedAndThoseOfOneCellAddedUp) {
  const Matrix rows{{2, 0.25, 3, 5, 4, 0.75}, {2, 0, 2, 1, 0, 0}, {0, 2, 3, 6}};
  EXPECT_EQ(numbers(rows.table().column("a")), (Numbers{0.25, 0, 4.75}));
  const Matrix columns{{4, 1, 5, 3, 1, 1}, {2, 0, 2, 1, 0, 0}, {0, 2, 3, 6}, false};
  expect_the_matrix(columns.table());
}

TEST(Sparse, AbsentIsMissingWhereAskedAndAModelRemembersIt) {
  const Table table = kByRows.table(Absent::missing);
  EXPECT_TRUE(std::isnan(numbers(table.column("a"))[1]));
  EXPECT_EQ(table.column("a").cell(1), "");
  const Schema schema = parse_schema(schema_json(schema_of(table)), "here");
  EXPECT_TRUE(std::isnan(numbers(align(kByRows.table(), schema).column("a"))[1]));
  EXPECT_EQ(schema_json(schema_of(kByRows.table())).find("absent"), std::string::npos);
}

TEST(Sparse, PartsAreReadFromAnyRow) {
  const Column column = kByRows.table().column("c");
  double cells[2];
  column.read(1, cells);
  EXPECT_EQ(cells[0], 3);
  EXPECT_EQ(cells[1], 0);
  std::int64_t integers[2];
  column.read_integers(0, integers);
  EXPECT_EQ(integers[1], 3);
}

TEST(Sparse, RowsAreTakenInAnyOrder) {
  const Column column = kByRows.table().column("c");
  const Column ordered = column.take(std::vector<std::int64_t>{0, 2});
  EXPECT_TRUE(ordered.sparse());
  EXPECT_EQ(numbers(ordered), (Numbers{2, 0}));
  const Column shuffled = column.take(std::vector<std::int64_t>{1, 2, 1, 0});
  EXPECT_EQ(numbers(shuffled), (Numbers{3, 0, 3, 2}));
}

TEST(Sparse, TablesAreJoinedAndTakenApart) {
  const Table joined = concat({kByRows.table(), kByColumns.table()}, "both");
  EXPECT_EQ(numbers(joined.column("c")), (Numbers{2, 3, 0, 2, 3, 0}));
  EXPECT_EQ(numbers(joined.column("c").take(std::vector<std::int64_t>{1, 4})), (Numbers{3, 3}));
  EXPECT_EQ(numbers(joined.column("c").take(std::vector<std::int64_t>{4, 2})), (Numbers{3, 0}));
  std::vector<std::int64_t> rows;
  for_entries(joined.column("a"), [&](std::int64_t row, double) { rows.push_back(row); });
  EXPECT_EQ(rows, (std::vector<std::int64_t>{0, 2, 3, 5}));
  EXPECT_EQ(numbers(dense(joined.column("b"))), numbers(joined.column("b")));
}

TEST(Sparse, AnInfiniteEntryIsNamedByItsRow) {
  Matrix matrix = kByRows;
  matrix.cells[2] = HUGE_VAL;
  EXPECT_EQ(error_of([&] { check_finite(matrix.table().column("c"), ""); }).substr(0, 35),
            "row 2, column 'c': the value is inf");
}

TEST(Sparse, DamagedMatricesAreRefused) {
  const auto error = [](auto damage) {
    Matrix matrix = kByRows;
    damage(matrix);
    return error_of([&] { matrix.table(); });
  };
  EXPECT_EQ(
      error([](Matrix& m) { m.places[1] = 3; }),
      "the sparse matrix is damaged: an index is 3, outside 0 to 2; build it anew (GRD-2037)");
  EXPECT_EQ(
      error([](Matrix& m) { m.places[1] = -1; }),
      "the sparse matrix is damaged: an index is -1, outside 0 to 2; build it anew (GRD-2037)");
  EXPECT_EQ(error([](Matrix& m) { m.offsets[0] = 1; }),
            "the sparse matrix is damaged: its first offset is not 0; build it anew (GRD-2037)");
  EXPECT_EQ(error([](Matrix& m) { m.offsets[1] = 4; }),
            "the sparse matrix is damaged: offset 2 is below the one before; build it "
            "anew (GRD-2037)");
  EXPECT_EQ(error([](Matrix& m) { m.offsets[3] = 6; }),
            "the sparse matrix is damaged: its offsets tell of 6 entries, but it has 5; "
            "build it anew (GRD-2037)");
}

}  // namespace
}  // namespace gradatim::data
