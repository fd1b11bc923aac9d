#include "gradatim/boost/ensemble/row_distribution.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(RowDistribution, StartsUniformOrProportionalToTheWeights) {
  const RowDistribution uniform(4, {});
  for (int row = 0; row < 4; ++row) EXPECT_EQ(uniform[row], 0.25);
  const RowDistribution weighted(3, std::vector<float>{1, 2, 5});
  EXPECT_EQ(weighted[0], 0.125);
  EXPECT_EQ(weighted[2], 0.625);
  EXPECT_EQ(weighted.mean([](std::int64_t row) { return row == 1 ? 1.0 : 0.0; }), 0.25);
}

TEST(RowDistribution, TiltMultipliesByExpAndNormalises) {
  RowDistribution d(3, {});
  d.tilt([](std::int64_t row) { return row == 0 ? std::log(2.0) : 0.0; });
  EXPECT_NEAR(d[0], 0.5, 1e-15);
  EXPECT_NEAR(d[1], 0.25, 1e-15);
  EXPECT_NEAR(d.mean([](std::int64_t) { return 1.0; }), 1.0, 1e-15);
}

TEST(RowDistribution, AShareIsOfTheWeightOfTheRowsThatHold) {
  const RowDistribution d(4, std::vector<float>{1, 2, 4, 1});
  EXPECT_EQ(d.share([](std::int64_t row) { return row == 2; }), 0.5);
  EXPECT_EQ(d.share([](std::int64_t) { return true; }), 1.0);
}

TEST(RowDistribution, MultiplyKeepsTheLargestForFixedPoints) {
  RowDistribution d(2, {});
  d.multiply([](std::int64_t row) { return row == 0 ? 1.75 : 0.25; });
  EXPECT_EQ(d[0], 0.875);
  std::vector<std::int32_t> integers;
  const double unit = d.fixed_point(integers);
  EXPECT_EQ(integers[0] * unit, 0.875);
  EXPECT_EQ(integers[1] * unit, 0.125);
}

// e^2000 is no double: only differences count.
TEST(RowDistribution, ExponentsMayBeBeyondWhatExpHolds) {
  RowDistribution d(3, {});
  const std::vector<float> weight = {1, 3, 1};
  d.set(weight, [](std::int64_t row) { return row == 2 ? -3000.0 : 2000.0; });
  EXPECT_NEAR(d[0], 0.25, 1e-15);
  EXPECT_NEAR(d[1], 0.75, 1e-15);
  EXPECT_EQ(d[2], 0.0);
}

TEST(RowDistribution, FixedPointKeepsThirtyBitsOfTheLargest) {
  Random r(1);
  std::vector<float> weight;
  for (int i = 0; i < 500; ++i) weight.push_back(static_cast<float>(r.uniform()));
  const RowDistribution d(500, weight);
  std::vector<std::int32_t> integers;
  const double unit = d.fixed_point(integers);
  std::int32_t most = 0;
  for (int row = 0; row < 500; ++row) {
    most = std::max(most, integers[row]);
    EXPECT_NEAR(integers[row] * unit, d[row], 0.5 * unit);
  }
  EXPECT_GT(most, 1 << 29);
  EXPECT_LE(most, 1 << 30);
}

TEST(RowDistribution, WeightsHaveMeanOne) {
  std::vector<float> weight;
  RowDistribution(4, std::vector<float>{1, 1, 2, 4}).weights(weight);
  EXPECT_EQ(weight, (std::vector<float>{0.5F, 0.5F, 1, 2}));
}

TEST(RowDistribution, DrawsFollowD) {
  const std::vector<float> weight = {1, 2, 3, 0, 4};
  const RowDistribution d(5, weight);
  constexpr int kDraws = 20000;
  std::vector<double> hits(5);
  for (std::uint32_t number = 0; number < kDraws; ++number) {
    const auto draw = d.draw(3, number);
    EXPECT_EQ(std::accumulate(draw.begin(), draw.end(), 0), 5);
    for (int row = 0; row < 5; ++row) hits[row] += draw[row];
  }
  for (int row = 0; row < 5; ++row) {
    const double p = weight[row] / 10.0;
    const double sigma = std::sqrt(5.0 * kDraws * p * (1.0 - p));
    EXPECT_NEAR(hits[row], 5.0 * kDraws * p, 4.0 * sigma) << row;
  }
}

TEST(RowDistribution, ADrawIsAFunctionOfSeedAndNumber) {
  const RowDistribution d(100, {});
  EXPECT_EQ(d.draw(1, 2), d.draw(1, 2));
  EXPECT_NE(d.draw(1, 2), d.draw(1, 3));
  EXPECT_NE(d.draw(1, 2), d.draw(2, 2));
}

}  // namespace
}  // namespace gradatim::boost
