#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(Absolute, ALeafTakesTheWeightedMedianResidual) {
  const auto loss = api::build_as<Loss>({.component = "boost.loss.absolute"});
  const std::vector<float> label = {1, 5, 9};
  const std::vector<double> score = {0, 1, 2};  // residuals 1, 4, 7
  EXPECT_EQ(loss->leaf_value({label, score, {}}), 4.0);
  EXPECT_EQ(loss->leaf_value({label, score, std::vector<float>{1, 1, 5}}), 7.0);
}

}  // namespace
}  // namespace gradatim::boost
