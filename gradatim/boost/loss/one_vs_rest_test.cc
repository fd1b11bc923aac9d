#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(OneVsRest, EachClassIsALogisticLossOfItsOwn) {
  const std::vector<float> label = {0, 2, 1};
  const std::vector<double> score = {0.1, -2, 3, 0.5, 0, 1, -1, 4, 0.2};  // [classes][rows]
  const auto made = gradients(*loss("one_vs_rest"), label, score, 3);
  for (int k = 0; k < 3; ++k) {
    std::vector<float> is_k;
    for (const float y : label) is_k.push_back(y == static_cast<float>(k) ? 1.0F : 0.0F);
    const std::vector<double> own(score.begin() + 3 * k, score.begin() + 3 * k + 3);
    const auto alone = gradients(*loss("logistic"), is_k, own);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(made.g[3 * k + i], alone.g[i]);
      EXPECT_EQ(made.h[3 * k + i], alone.h[i]);
    }
  }
}

TEST(OneVsRest, PredictionsAreProbabilitiesDividedByTheirSum) {
  std::vector<double> out(3);
  loss("one_vs_rest")->transform(std::vector<double>{0.0, 0.0, std::log(3.0)}, 3, out);
  EXPECT_NEAR(out[0], 0.5 / 1.75, 1e-15);
  EXPECT_NEAR(out[2], 0.75 / 1.75, 1e-15);
}

TEST(OneVsRest, WhereEveryProbabilityVanishesTheirRatiosStay) {
  std::vector<double> out(2);
  for (const double far : {-39.9, -40.1, -5000.0}) {
    loss("one_vs_rest")->transform(std::vector<double>{far, far + std::log(3.0)}, 2, out);
    EXPECT_NEAR(out[1], 0.75, 1e-12) << far;
  }
}

TEST(OneVsRest, LearnsThreeClasses) {
  const auto request = request_of(learnable({.rows = 1000}, Target::three_classes, 3));
  const auto fitted = fit("boost.newton", {{"loss", "one_vs_rest"}}, request);
  EXPECT_GT(fitted->evaluate(request.table, {"accuracy"}, "").front().second, 0.9);
}

}  // namespace
}  // namespace gradatim::boost
