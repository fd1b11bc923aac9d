#include "gradatim/boost/bins/binned_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "gradatim/boost/bins/choose_bins.h"
#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

data::Table one_column(std::vector<double> cells) {
  return data::Table({data::numeric_column("x", std::move(cells))});
}

std::vector<std::int32_t> bins_of(const BinnedData& data, std::int32_t feature) {
  std::vector<std::int32_t> bins;
  for (std::int64_t row = 0; row < data.rows(); ++row) bins.push_back(data.column(feature).at(row));
  return bins;
}

std::vector<double> counting(std::int64_t rows) {
  std::vector<double> cells(static_cast<std::size_t>(rows));
  std::iota(cells.begin(), cells.end(), 0.0);
  return cells;
}

TEST(BinnedData, MinusZeroIsZeroAndNaNIsTheMissingBin) {
  const BinnedData data(one_column({0.0, -0.0, kNaN, -1.0, 1.0}), {}, {});
  EXPECT_EQ(data.features()[0].bins, 3);
  EXPECT_EQ(bins_of(data, 0), (std::vector<std::int32_t>{1, 1, 3, 0, 2}));
  EXPECT_TRUE(data.has_missing(0));
}

TEST(BinnedData, NoRowOrNoFeatureIsRefused) {
  EXPECT_NE(code_of([] { BinnedData(one_column({}), {}, {}); }), 0);
  EXPECT_NE(code_of([] { BinnedData(data::Table(), {}, {}); }), 0);
}

TEST(BinnedData, ABinTakesTheFewestBytesThatHoldItsFeature) {
  const auto width = [](std::int64_t values, std::int32_t most, bool exact) {
    const BinnedData data(one_column(counting(values)), {}, {.max_bin = most, .exact = exact});
    return std::pair(data.features()[0].bins, data.column(0).width);
  };
  EXPECT_EQ(width(300, 255, false), std::pair(255, 1));
  EXPECT_EQ(width(300, 256, false), std::pair(256, 2));
  EXPECT_EQ(width(70000, 65534, false), std::pair(65534, 2));
  EXPECT_EQ(width(70000, 255, true), std::pair(70000, 4));
}

TEST(BinnedData, BothCopiesHoldTheSameBins) {
  Random r(1);
  auto columns = random_features({.rows = 500, .numeric = 3, .missing = 0.1}, r);
  columns.push_back(random_numbers("few", {.rows = 500, .missing = 0.1, .distinct = 20}, r));
  columns.push_back(random_categories("c", {.rows = 500, .missing = 0.1}, r));
  const BinnedData data(data::Table(columns), {}, {.max_bin = 400});
  ASSERT_EQ(data.wide_features().size(), 3U);
  std::size_t narrow = 0;
  for (const auto& group : data.groups()) {
    for (std::size_t p = 0; p < group.features.size(); ++p, ++narrow) {
      const std::int32_t feature = group.features[p];
      EXPECT_EQ(data.first_cell(feature), group.first_cell + std::int64_t(p) * group.stride);
      for (std::int64_t row = 0; row < data.rows(); ++row) {
        EXPECT_EQ(group.bins[row * group.positions + p], data.column(feature).at(row));
      }
    }
  }
  EXPECT_EQ(narrow, 2U) << "few values and categories";
}

TEST(BinnedData, EveryFeatureHasCellsOfItsOwn) {
  Random r(2);
  auto columns = random_features({.rows = 300, .numeric = 20, .missing = 0.1}, r);
  for (const int distinct : {2, 3, 30, 100, 250}) {
    columns.push_back(random_numbers("d" + std::to_string(distinct),
                                     {.rows = 300, .missing = 0.1, .distinct = distinct}, r));
  }
  const BinnedData data(data::Table(columns), {}, {.max_bin = 280});
  std::vector<int> owners(data.cells());
  for (std::size_t f = 0; f < data.features().size(); ++f) {
    for (std::int32_t b = 0; b <= data.features()[f].bins; ++b) ++owners[data.first_cell(f) + b];
  }
  EXPECT_LE(*std::max_element(owners.begin(), owners.end()), 1);
}

TEST(BinnedData, CategoriesAreRankedByWeightAndTiesByName) {
  const data::Table table(
      {data::categorical_column("c", {0, 1, 1, 2, 3, -1, 3}, {"z", "b", "y", "a"})});
  const BinnedData plain(table, {}, {});
  EXPECT_EQ(plain.features()[0].categories, (std::vector<std::string>{"a", "b", "y", "z"}));
  EXPECT_EQ(bins_of(plain, 0), (std::vector<std::int32_t>{3, 1, 1, 2, 0, 4, 0}));
  const std::vector<float> weight = {9, 1, 1, 5, 1, 1, 1};
  const BinnedData weighted(table, weight, {});
  EXPECT_EQ(weighted.features()[0].categories, (std::vector<std::string>{"z", "y", "a", "b"}));
}

TEST(BinnedData, OtherRowsAreBinnedByTheTrainingsCategories) {
  const data::Table train({data::categorical_column("c", {0, 0, 1}, {"x", "y"})});
  const BinnedData data(train, {}, {});
  const data::Table other({data::categorical_column("c", {0, 1, 2, -1}, {"y", "new", "x"})});
  const BinnedData binned(other, data);
  EXPECT_EQ(bins_of(binned, 0), (std::vector<std::int32_t>{1, 2, 0, 2}));
}

TEST(BinnedData, AColumnWithoutACellHasOneBin) {
  const BinnedData data(data::Table({data::numeric_column("x", {kNaN, kNaN}),
                                     data::categorical_column("c", {-1, -1}, {"never"})}),
                        {}, {});
  for (const int f : {0, 1}) {
    EXPECT_EQ(data.features()[f].bins, 1);
    EXPECT_EQ(bins_of(data, f), (std::vector<std::int32_t>{1, 1}));
  }
}

TEST(BinnedData, ExactRowsAreSortedByValueThenRow) {
  Random r(5);
  const auto column = random_numbers("x", {.rows = 400, .missing = 0.2, .distinct = 30}, r);
  const auto cells = numbers(column);
  const BinnedData data(data::Table({column}), {}, {.exact = true});
  const auto sorted = data.sorted_rows(0);
  EXPECT_EQ(static_cast<std::ptrdiff_t>(sorted.size()),
            std::count_if(cells.begin(), cells.end(), [](double x) { return x == x; }));
  for (std::size_t i = 0; i + 1 < sorted.size(); ++i) {
    EXPECT_EQ(sorted[i].bin, static_cast<std::uint32_t>(data.column(0).at(sorted[i].row)));
    EXPECT_LT(std::pair(cells[sorted[i].row], sorted[i].row),
              std::pair(cells[sorted[i + 1].row], sorted[i + 1].row));
  }
  for (std::int64_t row = 0; row < 400; ++row) {
    if (cells[row] == cells[row]) {
      EXPECT_EQ(data.features()[0].values[data.column(0).at(row)], cells[row]);
    }
  }
}

TEST(BinnedData, AWeightOfTwoIsARowTwice) {
  Random r(6);
  const auto cells = numbers(random_numbers("x", {.rows = 500}, r));
  std::vector<float> weight;
  std::vector<double> twice;
  for (const double x : cells) {
    weight.push_back(r.below(2) == 0 ? 1.0F : 2.0F);
    twice.insert(twice.end(), static_cast<std::size_t>(weight.back()), x);
  }
  const BinOptions options{.max_bin = 20};
  const BinnedData weighted(one_column(cells), weight, options);
  const BinnedData repeated(one_column(twice), {}, options);
  EXPECT_EQ(weighted.features()[0].cuts, repeated.features()[0].cuts);
}

TEST(BinnedData, IsTheSameOnAnyNumberOfThreads) {
  Random r(7);
  const data::Table table(
      random_features({.rows = 9000, .numeric = 3, .categorical = 2, .missing = 0.1}, r));
  auto all = [&](int threads) {
    const ThreadScope scope(threads);
    const BinnedData data(table, {}, {.max_bin = 300});
    std::vector<std::int32_t> bins;
    for (int f = 0; f < 5; ++f) {
      for (const std::int32_t bin : bins_of(data, f)) bins.push_back(bin);
    }
    return bins;
  };
  EXPECT_EQ(all(1), all(4));
}

TEST(BinnedData, NeedsARowAndAFeature) {
  const data::Table empty({data::numeric_column("x", {})});
  EXPECT_EQ(code_of([&] { BinnedData(empty, {}, {}); }), 2031);
  EXPECT_EQ(code_of([&] { BinnedData(data::Table(), {}, {}); }), 2031);
}

TEST(QuantileRows, AreAllRowsWhereTheyFitTheSample) {
  EXPECT_EQ(quantile_rows(5, {.sample_rows = 5}), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(quantile_rows(50, {.sample_rows = 5, .exact = true}).size(), 50U);
}

TEST(QuantileRows, AreTheSmallestHashesOfSeedAndRow) {
  const auto sample = quantile_rows(1000, {.sample_rows = 100, .seed = 9});
  ASSERT_EQ(sample.size(), 100U);
  EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
  const Philox random(9, Stream::quantiles);
  std::uint64_t most = 0;
  for (const auto row : sample) most = std::max(most, random.bits(row));
  const std::set<std::int64_t> inside(sample.begin(), sample.end());
  ASSERT_EQ(inside.size(), 100U);
  for (std::int64_t row = 0; row < 1000; ++row) {
    EXPECT_EQ(random.bits(row) <= most, inside.contains(row));
  }
  EXPECT_EQ(sample, quantile_rows(1000, {.sample_rows = 100, .seed = 9}));
  EXPECT_NE(sample, quantile_rows(1000, {.sample_rows = 100, .seed = 10}));
}

}  // namespace
}  // namespace gradatim::boost
