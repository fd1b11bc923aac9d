#include "gradatim/boost/loss/constant.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

constexpr auto kSquared = [](float y, double c) { return Gradient{c - double{y}, 1.0}; };

TEST(ConstantOfLeastLoss, OfTheSquaredErrorIsTheWeightedMean) {
  const std::vector<float> label = {1, 2, 9};
  EXPECT_DOUBLE_EQ(constant_of_least_loss(label, {}, kSquared), 4.0);
  EXPECT_DOUBLE_EQ(constant_of_least_loss(label, std::vector<float>{1, 0, 3}, kSquared), 7.0);
}

TEST(ConstantOfLeastLoss, BisectsWhereNewtonLeavesTheLabels) {
  // g = sign: the step g / h with a tiny h always leaves the bracket.
  const auto sign = [](float y, double c) { return Gradient{c > y ? 1.0 : -1.0, 1e-9}; };
  const std::vector<float> label = {-3, 1, 50};
  EXPECT_NEAR(constant_of_least_loss(label, {}, sign), 1.0, 1e-9);
}

TEST(ConstantOfLeastLoss, OfEqualLabelsIsThatLabelAndOfNoneIsZero) {
  EXPECT_EQ(constant_of_least_loss(std::vector<float>{3, 3}, {}, kSquared), 3.0);
  EXPECT_EQ(constant_of_least_loss(std::vector<float>{}, {}, kSquared), 0.0);
}

}  // namespace
}  // namespace gradatim::boost
