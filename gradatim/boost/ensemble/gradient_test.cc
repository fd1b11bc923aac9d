#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

data::Table four_rows(std::vector<double> y) {
  return data::Table(
      {data::numeric_column("x", {1, 2, 3, 4}), data::numeric_column("y", std::move(y))});
}

std::vector<std::vector<double>> staged(const data::Model& model, const data::Table& table) {
  std::vector<std::vector<double>> stages;
  model.predict_staged(
      table, {}, [&](std::int64_t, const data::Predictions& p) { stages.push_back(p.values); });
  return stages;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << i;
}

// x = 1 2 3 4, y = 1 2 4 9, squared loss, one split a tree, learning rate 1/2. F_0 = mean = 4.
// A split is worth S_l^2/n_l + S_r^2/n_r, S the sums of residuals.
//   round 1  r = -3 -2 0 5:  x<1.5: 9 + 9/3 = 12;  x<2.5: 25/2 + 25/2 = 25;  x<3.5: 25/3 + 25
//   = 33.3
//            leaves -5/3 and 5;  F_1 = 4 - 5/6 = 19/6 on x<3.5, 4 + 5/2 = 39/6 on x = 4
//   round 2  6 r = -13 -7 5 15:  x<1.5: 169 + 56.3 = 225.3;  x<2.5: 200 + 200 = 400;  x<3.5: 75 +
//   225
//            leaves -10/6 and 10/6;  6 F_2 = 14 14 24 44
//   round 3  6 r = -8 -2 0 10:  x<1.5: 64 + 21.3;  x<2.5: 50 + 50 = 100;  x<3.5: 33.3 + 100 = 133.3
//            leaves -10/18 and 10/6;  F_3 = 37/18, 37/18, 67/18, 49/6
TEST(GradientBoosting, ThreeRoundsOfSquaredLossMatchTheHand) {
  const auto table = four_rows({1, 2, 4, 9});
  const auto model =
      fit("boost.gradient",
          {{"n_estimators", "3"}, {"learning_rate", "0.5"}, {"learner.max_depth", "1"}},
          request_of(table));
  const auto stages = staged(*model, table);
  ASSERT_EQ(stages.size(), 3U);
  expect_near(stages[0], {19.0 / 6, 19.0 / 6, 19.0 / 6, 6.5}, 1e-6);
  expect_near(stages[1], {14.0 / 6, 14.0 / 6, 4, 44.0 / 6}, 1e-6);
  expect_near(stages[2], {37.0 / 18, 37.0 / 18, 67.0 / 18, 49.0 / 6}, 1e-6);
}

// Absolute loss on y = 1 2 4 9: F_0 = median = 3; g = sign(F - y) = + + - -, so the tree splits at
// 2.5; its leaves are the median residuals of (-2, -1) and (1, 6): -1.5 and 3.5, halved.
TEST(GradientBoosting, LeavesOfAbsoluteLossAreMedians) {
  const auto table = four_rows({1, 2, 4, 9});
  const auto model = fit("boost.gradient",
                         {{"n_estimators", "1"},
                          {"learning_rate", "0.5"},
                          {"loss", "absolute"},
                          {"learner.max_depth", "1"}},
                         request_of(table));
  expect_near(staged(*model, table)[0], {2.25, 2.25, 4.75, 4.75}, 1e-6);
}

// Logistic loss, y = a a b a: p = 1/4, F_0 = -ln 3; g = 1/4 1/4 -3/4 1/4. By least squares: x<1.5
// is worth 1/16 + 1/48, x<2.5 1/8 + 1/8 = 1/4, x<3.5 1/48 + 1/16. Each leaf then takes its Newton
// step -G/H with h = 3/16: -(1/2)/(3/8) = -4/3 and (1/2)/(3/8) = 4/3.
TEST(GradientBoosting, LeavesOfLogisticLossTakeANewtonStep) {
  const data::Table table({data::numeric_column("x", {1, 2, 3, 4}),
                           data::categorical_column("y", {0, 0, 1, 0}, {"a", "b"})});
  const auto model = fit(
      "boost.gradient", {{"n_estimators", "1"}, {"learning_rate", "1"}, {"learner.max_depth", "1"}},
      request_of(table));
  const double base = -std::log(3.0);
  expect_near(margins(*model, table),
              {base - 4.0 / 3, base - 4.0 / 3, base + 4.0 / 3, base + 4.0 / 3}, 1e-6);
}

}  // namespace
}  // namespace gradatim::boost
