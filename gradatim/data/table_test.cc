#include "gradatim/data/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

template <class T>
Column strided(Storage storage, const std::vector<T>& cells, std::int64_t stride_cells = 1) {
  const Chunk chunk{.rows = static_cast<std::int64_t>(cells.size()) / stride_cells,
                    .data = cells.data(),
                    .stride = stride_cells * static_cast<std::int64_t>(sizeof(T))};
  return {"x", ColumnType::numeric, storage, {chunk}, nullptr};
}

template <class T>
void expect_read_back(Storage storage) {
  const std::vector<T> cells = {T(0), T(1), T(2), T(100)};
  const Column column = strided(storage, cells);
  EXPECT_EQ(numbers(column), (std::vector<double>{0, 1, 2, 100}));
  const std::int64_t rows[] = {3, 1, 1};
  EXPECT_EQ(numbers(column.take(rows)), (std::vector<double>{100, 1, 1}));
  EXPECT_EQ(column.take(rows).storage(), storage);
}

TEST(Column, EveryStorageIsReadAndTaken) {
  expect_read_back<float>(Storage::f32);
  expect_read_back<double>(Storage::f64);
  expect_read_back<std::int8_t>(Storage::i8);
  expect_read_back<std::int16_t>(Storage::i16);
  expect_read_back<std::int32_t>(Storage::i32);
  expect_read_back<std::int64_t>(Storage::i64);
  expect_read_back<std::uint8_t>(Storage::u8);
  expect_read_back<std::uint16_t>(Storage::u16);
  expect_read_back<std::uint32_t>(Storage::u32);
  expect_read_back<std::uint64_t>(Storage::u64);
}

TEST(Column, AColumnOfARowMajorMatrixIsReadByItsStride) {
  const std::vector<float> matrix = {1, 10, 2, 20, 3, 30};
  EXPECT_EQ(numbers(strided(Storage::f32, matrix, 2)), (std::vector<double>{1, 2, 3}));
}

TEST(Column, CellsMayBeUnaligned) {
  std::vector<char> bytes(1 + 2 * sizeof(double));
  const double values[] = {1.5, -2.5};
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  const Chunk chunk{.rows = 2, .data = bytes.data() + 1, .stride = 8};
  const Column column("x", ColumnType::numeric, Storage::f64, {chunk}, nullptr);
  EXPECT_EQ(numbers(column), (std::vector<double>{1.5, -2.5}));
}

TEST(Column, PackedBitsStartAtAnyBit) {
  const std::uint8_t bits[] = {0b10100000, 0b00000001};
  const Chunk chunk{.rows = 5, .data = bits, .bit_offset = 5};
  const Column column("b", ColumnType::boolean, Storage::bit, {chunk}, nullptr);
  EXPECT_EQ(cells(column), (Texts{"true", "false", "true", "true", "false"}));
  const std::int64_t rows[] = {4, 0};
  EXPECT_EQ(cells(column.take(rows)), (Texts{"false", "true"}));
}

TEST(Column, NullsOfABitmapAreMissingAcrossChunksAndOffsets) {
  std::vector<std::int32_t> values(40);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i);
  const std::uint8_t validity[] = {0b11111000, 0xFF, 0xFF, 0b11111110, 0xFF, 0xFF};
  // Bits 3 to 22 are the first chunk's and 23 to 42 the second's; bit 24 is the only null.
  const Chunk first{
      .rows = 20, .data = values.data(), .stride = 4, .validity = validity, .validity_offset = 3};
  const Chunk second{.rows = 20,
                     .data = values.data() + 20,
                     .stride = 4,
                     .validity = validity,
                     .validity_offset = 23};
  const Column column("i", ColumnType::integer, Storage::i32, {first, second}, nullptr);
  const auto all = numbers(column);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i == 21)
      EXPECT_TRUE(std::isnan(all[i]));
    else
      EXPECT_EQ(all[i], static_cast<double>(i));
  }
  double middle[4];
  column.read(19, middle);  // crosses the chunks
  EXPECT_EQ(middle[0], 19);
  EXPECT_EQ(middle[1], 20);
  EXPECT_TRUE(std::isnan(middle[2]));
  EXPECT_EQ(middle[3], 22);
  const std::int64_t rows[] = {21, 39, 0};
  EXPECT_EQ(cells(column.take(rows)), (Texts{"", "39", "0"}));
}

TEST(Column, ACategoryIsItsCodeAndACodeWithoutAWordIsMissing) {
  const Column column = categorical_column("c", {1, -1, 0, 7}, {"a", "b"});
  EXPECT_EQ(codes(column), (Codes{1, -1, 0, -1}));
  EXPECT_EQ(cells(column), (Texts{"b", "", "a", ""}));
  const auto values = numbers(column);
  EXPECT_EQ(values[0], 1);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_TRUE(std::isnan(values[3]));
  const std::int64_t rows[] = {2, 0};
  EXPECT_EQ(column.take(rows).shared_categories(), column.shared_categories());
}

TEST(Column, LargeIntegersKeepEveryDigit) {
  const Column column = integer_column("id", {9007199254740993, kMissingInteger, -5});
  EXPECT_EQ(cells(column), (Texts{"9007199254740993", "", "-5"}));
  EXPECT_TRUE(std::isnan(numbers(column)[1]));
}

TEST(Column, CellsReadAsAPersonWouldWriteThem) {
  EXPECT_EQ(cells(numeric_column("x", {0.1, kNaN, 2, -1e300})), (Texts{"0.1", "", "2", "-1e+300"}));
  const std::vector<float> floats = {0.1F};
  EXPECT_EQ(strided(Storage::f32, floats).cell(0), "0.1");
  EXPECT_EQ(integer_column("d", {15706}).with_time_unit(TimeUnit::days).cell(0), "2013-01-01");
  EXPECT_EQ(cells(boolean_column("b", {1, 0, 255})), (Texts{"true", "false", ""}));
}

TEST(Table, FindsColumnsByName) {
  const Table table({numeric_column("a", {1, 2}), numeric_column("b", {3, 4})}, "t.csv");
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(numbers(table.column("b")), (std::vector<double>{3, 4}));
  EXPECT_EQ(table.find("c"), nullptr);
  EXPECT_EQ(table.without("a").columns().size(), 1U);
  EXPECT_EQ(Table().find("a"), nullptr);
  const Table copy = table;
  EXPECT_EQ(copy.find("a"), table.find("a")) << "copies share their columns";
}

TEST(Table, AMissingColumnIsAnErrorWithTheNearestName) {
  const Table table({numeric_column("dep_delay", {1})}, "flights.csv");
  EXPECT_EQ(error_of([&] { table.column("dep_dely"); }),
            "there is no column 'dep_dely' in flights.csv; did you mean 'dep_delay'? (GRD-2004)");
}

TEST(Table, ColumnsNeedDistinctNamesAndEqualLengths) {
  EXPECT_EQ(error_of([] {
              Table({numeric_column("a", {1}), numeric_column("a", {2})}, "t.csv");
            }),
            "two columns in t.csv are named 'a'; rename one of them (GRD-2003)");
  EXPECT_EQ(error_of([] {
              Table({numeric_column("a", {1}), numeric_column("b", {})});
            }),
            "column 'b' has 0 rows, but column 'a' has 1; all columns need the same length "
            "(GRD-2003)");
}

TEST(Table, RowsAreTakenInTheOrderGivenAndMayRepeat) {
  const Table table(
      {numeric_column("a", {1, 2, 3}), categorical_column("c", {0, 1, -1}, {"x", "y"})});
  const std::int64_t rows[] = {2, 0, 0};
  const Table taken = table.take(rows);
  EXPECT_EQ(numbers(taken.column("a")), (std::vector<double>{3, 1, 1}));
  EXPECT_EQ(cells(taken.column("c")), (Texts{"", "x", "x"}));
  EXPECT_EQ(table.take({}).rows(), 0);
}

}  // namespace
}  // namespace gradatim::data
