#include <gtest/gtest.h>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(PseudoHuber, GradientIsBoundedByDelta) {
  const auto made =
      gradients(*loss("pseudo_huber", {{"delta", "2"}}), {0, 0, 0}, {1e9, -1e9, 0.01});
  EXPECT_EQ(made.g[0], 2.0F);
  EXPECT_EQ(made.g[1], -2.0F);
  EXPECT_NEAR(made.g[2], 0.01, 1e-6);
}

double value(double r, double delta) {
  return delta * delta * (std::sqrt(1.0 + (r / delta) * (r / delta)) - 1.0);
}

// L(F + d) <= L + g d + h d^2 / 2 for all d: what keeps Newton's step from overshooting.
TEST(PseudoHuber, TheParabolaOfGradientAndHessianLiesAboveTheLoss) {
  Random r(2);
  const auto two = loss("pseudo_huber", {{"delta", "2"}});
  for (int trial = 0; trial < 1000; ++trial) {
    const double f = 20.0 * r.normal();
    const auto made = gradients(*two, {0}, {f});
    const double d = 20.0 * r.normal();
    const double parabola = value(f, 2) + made.g[0] * d + 0.5 * made.h[0] * d * d;
    EXPECT_GE(parabola, value(f + d, 2) - 1e-5 * (1.0 + d * d));
  }
}

// Labels a hundred times delta: with the second derivative as hessian, steps would be 10^4 deltas.
TEST(PseudoHuber, ConvergesWhereLabelsAreFarBeyondDelta) {
  auto table = learnable({.rows = 500}, Target::numbers, 3);
  auto y = numbers(table.column("y"));
  for (double& x : y) x = 100.0 * x + 1000.0;
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.back() = data::numeric_column("y", y);
  const auto request = request_of(data::Table(columns));
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    const auto fitted = fit(model, {{"loss", "pseudo_huber"}, {"n_estimators", "100"}}, request);
    const auto mae = fitted->evaluate(request.table, {"mae"}, "").front().second;
    EXPECT_LT(mae, 60.0) << "the labels deviate by about 130";
  }
}

}  // namespace
}  // namespace gradatim::boost
