#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

const std::vector<double> kScore = {0.1, -2, 3, 0.5, 0, 1};  // [classes][rows], two of three

TEST(Softmax, ACertainSoftLabelIsTheHardOne) {
  const auto hard = gradients(*loss("softmax"), {0, 2}, kScore, 3);
  const auto soft = gradients(*loss("softmax"), {1, 0, 0, 0, 0, 1}, kScore, 3, 3);
  EXPECT_EQ(hard.g, soft.g);
  EXPECT_EQ(hard.h, soft.h);
  const Task classes{TaskKind::classification, {"a", "b", "c"}};
  EXPECT_EQ(loss("softmax")->base_score(classes, std::vector<float>{0, 2}, {}),
            loss("softmax")->base_score({.targets = 3}, std::vector<float>{1, 0, 0, 0, 0, 1}, {}));
}

TEST(Softmax, GradientOfASoftLabelIsTheCentralDifferenceOfItsCrossEntropy) {
  const std::vector<float> y = {0.25F, 0.5F, 0.25F};
  const auto value = [&](const std::vector<double>& f) {
    double sum = 0.0;
    double cost = 0.0;
    for (const double x : f) sum += std::exp(x);
    for (int k = 0; k < 3; ++k) cost -= y[k] * (f[k] - std::log(sum));
    return cost;
  };
  const std::vector<double> f = {0.3, -1.0, 0.7};
  const auto made = gradients(*loss("softmax"), y, f, 3, 3);
  for (int k = 0; k < 3; ++k) {
    auto above = f;
    auto below = f;
    above[k] += 1e-5;
    below[k] -= 1e-5;
    EXPECT_NEAR(made.g[k], (value(above) - value(below)) / 2e-5, 1e-6);
  }
}

TEST(Softmax, SoftLabelsMustBeDistributions) {
  const Task two{.targets = 2};
  EXPECT_EQ(code_of([&] { loss("softmax")->check(two, std::vector<float>{0.3F, 1, 0.7F, 0}); }), 0);
  for (const std::vector<float>& bad :
       {std::vector<float>{0.3F, 1, 0.6F, 0}, std::vector<float>{1.5F, 1, -0.5F, 0}}) {
    EXPECT_EQ(code_of([&] { loss("softmax")->check(two, bad); }), 2033);
  }
}

}  // namespace
}  // namespace gradatim::boost
