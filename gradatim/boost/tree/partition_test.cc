#include "gradatim/boost/tree/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>

#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/criterion.h"

namespace gradatim::boost {
using namespace testing;
namespace {

struct Case {
  int width;
  std::int32_t bins;
  std::int64_t rows;
};

BinColumn random_column(const Case& c, Random& random) {
  BinColumn column;
  column.width = c.width;
  column.bytes.resize(c.rows * c.width + BinColumn::kPadding, 0xFF);
  for (std::int64_t row = 0; row < c.rows; ++row) {
    const auto bin = static_cast<std::uint32_t>(random.below(c.bins + 1));
    std::memcpy(column.bytes.data() + row * c.width, &bin, c.width);
  }
  return column;
}

// Every second or third row, so that ids are not positions.
std::vector<std::uint32_t> some_rows(std::int64_t rows, Random& random) {
  std::vector<std::uint32_t> chosen;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (random.below(5) < 2) chosen.push_back(static_cast<std::uint32_t>(row));
  }
  if (chosen.size() > kSeparateRows) chosen.resize(kSeparateRows);
  return chosen;
}

void expect_separated(const BinColumn& column, const std::vector<std::uint8_t>& left_bins,
                      const std::vector<std::uint32_t>& rows) {
  std::vector<std::uint32_t> expected;
  for (const int side : {1, 0}) {
    for (const std::uint32_t row : rows) {
      if (left_bins[column.at(row)] == side) expected.push_back(row);
    }
  }
  std::int64_t left = 0;
  for (const std::uint32_t row : rows) left += left_bins[column.at(row)];
  std::vector<std::uint32_t> out(rows.size() + 1, 7);
  EXPECT_EQ(separate_rows(column, left_bins, rows, out.data()), left);
  EXPECT_EQ(out.back(), 7U) << "nothing beyond the rows is written";
  out.pop_back();
  EXPECT_EQ(out, expected);
  auto in_place = rows;
  separate_rows(column, left_bins, in_place, in_place.data());
  EXPECT_EQ(in_place, expected);
}

TEST(Partition, SeparatesNumericAndCategoricalBinsOfEveryWidthInOrder) {
  Random random(5);
  for (const Case& c : {Case{1, 255, 9000}, Case{1, 2, 100}, Case{2, 60000, 9000},
                        Case{4, 100000, 3000}, Case{1, 9, 1}}) {
    const BinColumn column = random_column(c, random);
    const auto rows = some_rows(c.rows, random);
    for (const bool missing_left : {false, true}) {
      for (const std::int32_t last : {-1, 0, c.bins / 3, c.bins - 1}) {
        std::vector<std::uint8_t> left(c.bins + 1);
        std::fill_n(left.begin(), last + 1, 1);
        left[c.bins] = missing_left;
        expect_separated(column, left, rows);
        for (auto& bin : left) bin = static_cast<std::uint8_t>(random.below(2));
        expect_separated(column, left, rows);
      }
    }
  }
}

TEST(Partition, FineSumsOfTheLeftSideAreExactWhicheverSideIsSmaller) {
  Random random(6);
  const auto columns = random_features({.rows = 20000, .numeric = 1, .missing = 0.1}, random);
  const BinnedData data(data::Table(columns), {}, {.max_bin = 50});
  std::vector<float> g(20000);
  const std::vector<float> h(20000, 1.0F);
  for (auto& x : g) x = static_cast<float>(random.normal());
  Statistics statistics;
  quantise(g, h, {}, {}, statistics);
  const WideNewton fine(statistics, {});
  std::vector<std::uint32_t> rows(20000);
  std::iota(rows.begin(), rows.end(), 0U);
  for (const std::int32_t last : {5, 45}) {
    auto total = fine.make();
    auto left = fine.make();
    for (const std::uint32_t row : rows) {
      WideNewton::add_row(total, fine.read(row));
      if (data.column(0).at(row) <= last) WideNewton::add_row(left, fine.read(row));
    }
    std::vector<std::uint8_t> left_bins(data.features()[0].bins + 1);
    std::fill_n(left_bins.begin(), last + 1, 1);
    RowPartition partition;
    partition.reset(rows, 20000);
    std::vector<PartitionTask<WideNewton::Sum>> tasks;
    tasks.push_back({0, 20000, 0, left_bins, total, 0, fine.make()});
    partition.split(data, fine, tasks);
    EXPECT_EQ(tasks[0].left_sum.g, left.g);
    EXPECT_EQ(tasks[0].left_sum.h, left.h);
    const auto on_left = partition.rows(0, tasks[0].left_rows);
    EXPECT_TRUE(std::is_sorted(on_left.begin(), on_left.end()));
  }
}

TEST(Partition, NoRowsAreEveryRow) {
  RowPartition partition;
  partition.reset({}, 200000);
  ASSERT_EQ(partition.rows().size(), 200000U);
  for (std::uint32_t row = 0; row < 200000; ++row) ASSERT_EQ(partition.rows()[row], row);
  const std::vector<std::uint32_t> some = {1, 5, 9};
  partition.reset(some, 200000);
  EXPECT_TRUE(std::ranges::equal(partition.rows(), some));
}

TEST(Partition, KeepsTheCoarseStatisticsOfTheSmallerSideInItsOrder) {
  constexpr std::int64_t kRows = (1 << 16) + 4000;  // not wide
  Random random(7);
  const auto columns = random_features({.rows = kRows, .numeric = 1}, random);
  const BinnedData data(data::Table(columns), {}, {.max_bin = 50});
  std::vector<float> g(kRows);
  for (auto& x : g) x = static_cast<float>(random.normal());
  Statistics statistics;
  quantise(g, {}, {}, {}, statistics);
  const WideNewton fine(statistics, {});
  for (const std::int32_t last : {5, 45}) {
    std::vector<std::uint8_t> left_bins(data.features()[0].bins + 1);
    std::fill_n(left_bins.begin(), last + 1, 1);
    RowPartition partition;
    partition.reset({}, kRows);
    std::vector<PartitionTask<WideNewton::Sum>> tasks;
    tasks.push_back({0, kRows, 0, left_bins, fine.make(), 0, fine.make()});
    partition.split(data, fine, tasks);
    const std::int64_t middle = tasks[0].left_rows;
    const bool left_smaller = 2 * middle <= kRows;
    const std::int64_t begin = left_smaller ? 0 : middle;
    const auto rows = partition.rows(begin, left_smaller ? middle : kRows);
    ASSERT_FALSE(rows.empty());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(std::bit_cast<Coarse>(partition.kept(begin)[i]), statistics.rows[rows[i]].coarse);
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
