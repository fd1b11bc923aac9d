#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

// Residuals 0, 1, 2, 30 have the median 1.5; clipped to [-1, 1] the deviations from it are -1,
// -0.5, 0.5, 1, whose mean is 0.
TEST(Huber, ALeafTakesFriedmansStepFromTheMedian) {
  const auto loss = api::build_as<Loss>({.component = "boost.loss.huber"});
  const std::vector<float> label = {0, 1, 2, 30};
  const std::vector<double> score(4);
  EXPECT_EQ(loss->leaf_value({label, score, {}}), 1.5);
  // Weights 1, 1, 2, 4: half of the weight is reached at 2, the median is (2 + 30) / 2 = 16; the
  // deviations clip to -1, -1, -1, 1: (-1 - 1 - 2 + 4) / 8 = 0.
  EXPECT_EQ(loss->leaf_value({label, score, std::vector<float>{1, 1, 2, 4}}), 16.0);
  // Weights 3, 1, 1, 1: the median is (0 + 1) / 2; deviations -0.5, 0.5, 1, 1: (-1.5 + 2.5) / 6.
  EXPECT_NEAR(loss->leaf_value({label, score, std::vector<float>{3, 1, 1, 1}}), 0.5 + 1.0 / 6,
              1e-7);
}

TEST(Huber, GradientIsClippedBeyondDelta) {
  const auto loss = api::build_as<Loss>(
      api::parse_settings("boost.loss.huber", std::vector<api::Option>{{"delta", "2"}}));
  const float label[] = {0, 0, 0};
  const double score[] = {1.5, 7, -7};
  float g[3];
  float h[3];
  loss->gradients({3, label, score, g, h, 3, 1});
  EXPECT_EQ(std::vector<float>(g, g + 3), (std::vector<float>{1.5F, 2, -2}));
}

}  // namespace
}  // namespace gradatim::boost
