#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(Logistic, ASureScoreKeepsAPositiveHessian) {
  const auto loss = api::build_as<Loss>({.component = "boost.loss.logistic"});
  const float label[] = {1, 0};
  const double score[] = {800, 800};
  float g[2];
  float h[2];
  loss->gradients({2, label, score, g, h, 2, 1});
  EXPECT_EQ(g[0], 0.0F);
  EXPECT_EQ(g[1], 1.0F);
  EXPECT_GT(h[0], 0.0F);
}

}  // namespace
}  // namespace gradatim::boost
