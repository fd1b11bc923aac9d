#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(Exponential, AWrongRowWeighsItsExponential) {
  const auto made = gradients(*loss("exponential"), {0, 1}, {2, 2});
  EXPECT_FLOAT_EQ(made.g[0], std::exp(2.0F));
  EXPECT_FLOAT_EQ(made.h[0], std::exp(2.0F));
  EXPECT_FLOAT_EQ(made.g[1], -std::exp(-2.0F));
}

TEST(Exponential, TheScoreIsHalfTheLogOdds) {
  const auto exponential = loss("exponential");
  std::vector<double> p(2);
  exponential->transform(std::vector<double>{0.5 * std::log(3.0)}, 1, p);
  EXPECT_NEAR(p[1], 0.75, 1e-15);
  const Task task{TaskKind::classification, {"a", "b"}};
  const auto base = exponential->base_score(task, std::vector<float>{1, 1, 1, 0}, {});
  EXPECT_NEAR(base.front(), 0.5 * std::log(3.0), 1e-15);
}

TEST(Exponential, LearnsTwoClasses) {
  const auto request = request_of(learnable({.rows = 1000}, Target::two_classes, 3));
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    const auto fitted = fit(model, {{"loss", "exponential"}}, request);
    EXPECT_GT(fitted->evaluate(request.table, {"auc"}, "").front().second, 0.95);
  }
  EXPECT_EQ(code_of([] {
              fit("boost.newton", {{"loss", "exponential"}},
                  request_of(learnable({}, Target::three_classes, 3)));
            }),
            2020);
}

}  // namespace
}  // namespace gradatim::boost
