#include "gradatim/boost/order_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using Pairs = std::vector<std::pair<double, double>>;

double quantile(Pairs values, double level) { return weighted_quantile(values, level); }

TEST(WeightedMean, IsExactInAnyOrder) {
  const std::vector<float> x = {1e30F, 1.0F, -1e30F, 2.0F};
  EXPECT_EQ(weighted_mean(x, {}), 0.75);
  EXPECT_EQ(weighted_mean(x, std::vector<float>{1, 3, 1, 0}), 0.6);
  EXPECT_EQ(weighted_mean({}, {}), 0.0);
}

TEST(WeightedQuantile, OfEqualWeightsIsTheMedian) {
  EXPECT_EQ(quantile({{3, 1}, {1, 1}, {2, 1}}, 0.5), 2);
  EXPECT_EQ(quantile({{4, 1}, {1, 1}, {2, 1}, {3, 1}}, 0.5), 2.5);
  EXPECT_EQ(quantile({{7, 1}}, 0.5), 7);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

TEST(WeightedQuantile, CountsWeights) {
  EXPECT_EQ(quantile({{1, 1}, {2, 1}, {3, 5}}, 0.5), 3);
  EXPECT_EQ(quantile({{1, 2}, {2, 1}, {3, 1}}, 0.5), 1.5) << "exactly half lies at 1";
  EXPECT_EQ(quantile({{1, 0}, {2, 1}, {3, 1}}, 0.5), 2.5);
  EXPECT_EQ(quantile({{1, 1}, {2, 1}, {3, 1}, {4, 1}}, 0.9), 4);
  EXPECT_EQ(quantile({{1, 1}, {2, 1}}, 1.0), 2);
}

TEST(WeightedQuantile, AWeightOfTwoIsAValueTwice) {
  Random r(1);
  for (int trial = 0; trial < 200; ++trial) {
    Pairs weighted;
    Pairs repeated;
    for (std::int64_t i = 0, n = 1 + r.below(20); i < n; ++i) {
      const double x = static_cast<double>(r.below(10));
      const auto times = 1 + r.below(3);
      weighted.emplace_back(x, static_cast<double>(times));
      repeated.insert(repeated.end(), static_cast<std::size_t>(times), {x, 1.0});
    }
    for (const double level : {0.25, 0.5, 0.75}) {
      EXPECT_EQ(quantile(weighted, level), quantile(repeated, level));
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
