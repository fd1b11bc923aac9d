#include "gradatim/boost/bins/feature_bins.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/bins/search.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using Values = std::vector<WeightedValue>;

FeatureBins numeric_bins(std::vector<double> cuts) {
  FeatureBins bins;
  bins.bins = static_cast<std::int32_t>(cuts.size()) + 1;
  bins.cuts = std::move(cuts);
  return bins;
}

TEST(ThresholdBetween, IsAboveTheLowerValueAndAtMostTheUpper) {
  Random r(1);
  for (int i = 0; i < 10000; ++i) {
    const double a = r.normal() * std::ldexp(1.0, static_cast<int>(r.below(80)) - 40);
    const double b = i % 2 == 0 ? std::nextafter(a, kInfinity) : a + std::abs(a) * r.uniform();
    if (!(a < b)) continue;
    const double t = threshold_between(a, b);
    EXPECT_LT(a, t);
    EXPECT_LE(t, b);
  }
  EXPECT_EQ(threshold_between(1.0, 2.0), 1.5);
  const double far = threshold_between(-1.7e308, 1.7e308);  // their difference is infinite
  EXPECT_TRUE(-1.7e308 < far && far <= 1.7e308) << far;
}

TEST(ThresholdBetween, IsAFloat32WhereOneSeparatesTheValues) {
  EXPECT_EQ(threshold_between(0.1, 0.2), double{static_cast<float>(0.1 + 0.5 * (0.2 - 0.1))});
  // 16777217 is no float32, so a float32 between these neighbours does not exist below 16777218.
  EXPECT_EQ(threshold_between(16777216.0, 16777217.0), 16777216.5);
  EXPECT_EQ(threshold_between(1.0, std::nextafter(1.0, 2.0)), std::nextafter(1.0, 2.0));
}

TEST(ChooseCuts, EveryDistinctValueHasItsBinWhereTheyAreFew) {
  const Values values = {{-1, 1}, {0, 5}, {2, 1}, {7, 1}};
  EXPECT_EQ(choose_cuts(values, 4), (std::vector<double>{-0.5, 1, 4.5}));
  EXPECT_EQ(choose_cuts(values, 100).size(), 3U);
  EXPECT_TRUE(choose_cuts(Values{{3, 1}}, 2).empty());
  EXPECT_TRUE(choose_cuts({}, 2).empty());
}

TEST(ChooseCuts, EqualWeightsGiveEqualBins) {
  Values values;
  for (int i = 0; i < 1000; ++i) values.emplace_back(i, 1);
  const auto cuts = choose_cuts(values, 10);
  ASSERT_EQ(cuts.size(), 9U);
  for (int b = 0; b < 9; ++b) EXPECT_NEAR(cuts[b], 100 * (b + 1) - 0.5, 1.0);
}

TEST(ChooseCuts, AHeavyValueHasABinOfItsOwn) {
  Values values;
  for (int i = 0; i < 200; ++i) values.emplace_back(i, i == 77 ? 500 : 1);
  const FeatureBins bins = numeric_bins(choose_cuts(values, 16));
  EXPECT_LE(bins.bins, 16);
  EXPECT_GE(bins.bins, 12) << "the light values share the other bins";
  EXPECT_NE(bins.bin_of(76), bins.bin_of(77));
  EXPECT_NE(bins.bin_of(77), bins.bin_of(78));
}

TEST(ChooseCuts, NeverGivesMoreBinsThanAllowedAndAlwaysSeparatesValues) {
  Random r(2);
  for (int trial = 0; trial < 300; ++trial) {
    Values values;
    double x = -5.0;
    for (std::int64_t i = 0, n = 1 + r.below(80); i < n; ++i) {
      x += 0.01 + r.uniform();
      const double heavy = r.below(10) == 0 ? 50.0 : 1.0;
      values.emplace_back(x, 0.5 + heavy * r.uniform());
    }
    const auto most = static_cast<std::int32_t>(2 + r.below(20));
    const auto cuts = choose_cuts(values, most);
    EXPECT_LE(static_cast<std::int32_t>(cuts.size()) + 1, most);
    EXPECT_TRUE(std::is_sorted(cuts.begin(), cuts.end()));
    EXPECT_EQ(std::adjacent_find(cuts.begin(), cuts.end()), cuts.end());
    const FeatureBins bins = numeric_bins(cuts);
    std::vector<bool> used(cuts.size() + 1);
    for (const auto& value : values) used[bins.bin_of(value.first)] = true;
    EXPECT_EQ(std::count(used.begin(), used.end(), false), 0) << "an empty bin";
  }
}

// The law that makes training on bins and prediction on numbers agree to the bit.
TEST(FeatureBins, AValueIsBelowACutExactlyIfItsBinIs) {
  Random r(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<double> cuts;
    for (std::int64_t i = 0, n = r.below(40); i < n; ++i) {
      cuts.push_back(static_cast<float>(r.normal()));
    }
    if (trial % 3 == 0) cuts.push_back(0.0);
    std::sort(cuts.begin(), cuts.end());
    cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
    const FeatureBins bins = numeric_bins(cuts);
    std::vector<double> tried = {kInfinity, -kInfinity, 0.0, -0.0, 1e308, -1e308, 5e-324};
    for (const double cut : cuts) {
      for (const double x : {cut, std::nextafter(cut, -9.0), std::nextafter(cut, 9.0)}) {
        tried.push_back(x);
      }
    }
    for (int i = 0; i < 50; ++i) tried.push_back(r.normal());
    for (const double x : tried) {
      for (std::size_t j = 0; j < cuts.size(); ++j) {
        EXPECT_EQ(bins.bin_of(x) < static_cast<std::int32_t>(j) + 1, x < cuts[j]) << x;
      }
    }
    EXPECT_EQ(bins.bin_of(kNaN), bins.missing_bin());
  }
}

TEST(FeatureBins, ACategoryBeyondTheKnownOnesIsMissing) {
  FeatureBins bins;
  bins.type = data::ColumnType::categorical;
  bins.bins = 3;
  EXPECT_EQ(bins.bin_of(0), 0);
  EXPECT_EQ(bins.bin_of(2), 2);
  for (const double unknown : {3.0, -1.0, 1e300, kNaN}) EXPECT_EQ(bins.bin_of(unknown), 3);
}

TEST(CutSearch, EqualsTheBinOfEachValue) {
  Random r(4);
  for (int count = 0; count < 70; ++count) {
    std::vector<double> cuts;
    for (int i = 0; i < count; ++i) cuts.push_back(r.normal());
    std::sort(cuts.begin(), cuts.end());
    const FeatureBins bins = numeric_bins(cuts);
    std::vector<double> x = {kInfinity, -kInfinity, kNaN, 0.0, -0.0, 1e308, -1e308};
    x.insert(x.end(), cuts.begin(), cuts.end());
    while (x.size() < 600) x.push_back(3.0 * r.normal());
    std::vector<std::int32_t> found(x.size());
    EXPECT_TRUE(CutSearch(cuts).find(x, bins.missing_bin(), found.data()));
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(found[i], bins.bin_of(x[i])) << x[i];
  }
  std::int32_t found = -1;
  EXPECT_FALSE(CutSearch({}).find(std::vector<double>{1.0}, 1, &found));
  EXPECT_EQ(found, 0);
}

}  // namespace
}  // namespace gradatim::boost
