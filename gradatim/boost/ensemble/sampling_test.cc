#include "gradatim/boost/ensemble/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace gradatim::boost {
namespace {

TEST(SampleRows, AreAllOfThemForAShareOfOne) {
  EXPECT_EQ(sample_rows(3, 1.0, 1, 1), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(SampleRows, HaveTheirShareAndRise) {
  constexpr std::int64_t kRows = 20000;
  for (const double share : {0.1, 0.5, 0.9}) {
    const auto rows = sample_rows(kRows, share, 7, 3);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
    EXPECT_NEAR(static_cast<double>(rows.size()), share * kRows,
                4.0 * std::sqrt(kRows * share * (1.0 - share)));
  }
}

TEST(SampleRows, AreAFunctionOfSeedAndRound) {
  EXPECT_EQ(sample_rows(100, 0.5, 1, 2), sample_rows(100, 0.5, 1, 2));
  EXPECT_NE(sample_rows(100, 0.5, 1, 2), sample_rows(100, 0.5, 1, 3));
  EXPECT_NE(sample_rows(100, 0.5, 1, 2), sample_rows(100, 0.5, 2, 2));
}

TEST(SampleRows, AreNeverNone) {
  std::set<std::uint32_t> seen;
  for (std::uint32_t round = 0; round < 200; ++round) {
    const auto rows = sample_rows(3, 1e-9, 1, round);
    ASSERT_EQ(rows.size(), 1U);
    seen.insert(rows[0]);
  }
  EXPECT_EQ(seen, (std::set<std::uint32_t>{0, 1, 2}));
}

TEST(SampleFeatures, AreTheRoundedShareAndAtLeastOne) {
  EXPECT_EQ(sample_features(4, 1.0, 1, 1), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(sample_features(10, 0.34, 1, 1).size(), 3U);
  EXPECT_EQ(sample_features(10, 0.35, 1, 1).size(), 4U);
  EXPECT_EQ(sample_features(10, 0.001, 1, 1).size(), 1U);
  EXPECT_EQ(sample_features(10, 0.5, 1, 1), sample_features(10, 0.5, 1, 1));
}

TEST(SampleFeatures, EachIsDrawnEquallyOften) {
  std::vector<int> drawn(8);
  for (std::uint32_t draw = 0; draw < 4000; ++draw) {
    const auto features = sample_features(8, 0.25, 5, draw);
    EXPECT_TRUE(std::is_sorted(features.begin(), features.end()));
    for (const auto f : features) ++drawn[f];
  }
  for (const int count : drawn) EXPECT_NEAR(count, 1000, 4.0 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(SampleFeatures, AreDrawnInProportionToTheirWeights) {
  const std::vector<double> weight = {1, 3, 0, 4};
  std::vector<int> drawn(4);
  for (std::uint32_t draw = 0; draw < 4000; ++draw) {
    ++drawn[sample_features(4, 0.25, 5, draw, weight)[0]];
  }
  for (int f = 0; f < 4; ++f) {
    const double p = weight[f] / 8.0;
    EXPECT_NEAR(drawn[f], 4000.0 * p, 4.0 * std::sqrt(4000.0 * p * (1.0 - p)));
  }
  EXPECT_EQ(sample_features(4, 0.75, 1, 1, weight), (std::vector<std::int32_t>{0, 1, 3}));
  EXPECT_EQ(sample_features(4, 0.99, 1, 1, weight).size(), 4U);
}

}  // namespace
}  // namespace gradatim::boost
