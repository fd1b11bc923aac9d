#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<double> array_of(const data::Model& model, const std::string& name) {
  const std::string bytes = model.bytes();
  return SafetensorsFile(bytes, "model").read<double>(name);
}

Options two_rounds(const char* error) {
  return {{"n_estimators", "2"}, {"error", error}, {"learner.max_depth", "1"},
          {"learner.min_child_weight", "0"}};
}

// x = 1 2 3 4, y = 0 0 0 6; base 1.5; a stump of least squares.
//   round 1  weights 1 each; it splits off x = 4 and is right everywhere: loss 0, one member.
TEST(AdaBoostR2, StopsAtAPerfectMember) {
  const data::Table table(
      {data::numeric_column("x", {1, 2, 3, 4}), data::numeric_column("y", {0, 0, 0, 6})});
  const auto model = fit("boost.adaboost_r2", two_rounds("linear"), request_of(table));
  EXPECT_EQ(model->card().rounds, 1);
  EXPECT_NEAR(model->predict(table, {}).values[3], 6.0, 1e-6);
}

// x = 1 2 3 4, y = 0 0 2 6: base 2.
//   round 1  x<1.5: S^2/n of y - 2 is 4 + 4/3, x<2.5: 8 + 8 = 16, x<3.5: 4/3... + 16 = 17.33 wins:
//            leaves 2/3 and 6; |y - h| = 2/3 2/3 4/3 0, relative 1/2 1/2 1 0: Lbar = 1/2, not below
//            1/2, so the only member votes alone.
//            With the square, L = 1/4 1/4 1 0: Lbar = 3/8, beta = 3/5, weight ln(5/3).
//   round 2  D = beta^{1 - L} normalised, so that row 3 weighs most:
//            beta^{3/4} = 0.681731 (twice), 1, beta = 0.6: sum 2.963462.
TEST(AdaBoostR2, TheFirstRoundMatchesTheHand) {
  const data::Table table(
      {data::numeric_column("x", {1, 2, 3, 4}), data::numeric_column("y", {0, 0, 2, 6})});
  const auto linear = fit("boost.adaboost_r2", two_rounds("linear"), request_of(table));
  EXPECT_EQ(array_of(*linear, "weight"), (std::vector<double>{1.0}));
  EXPECT_NEAR(linear->predict(table, {}).values[0], 2.0 / 3, 1e-6);
  const auto square = fit("boost.adaboost_r2", two_rounds("square"), request_of(table));
  const auto weight = array_of(*square, "weight");
  ASSERT_GE(weight.size(), 1U);
  EXPECT_NEAR(weight[0], std::log(5.0 / 3), 1e-6);
  ASSERT_EQ(weight.size(), 2U);
  // Round 2 by the weights above: sums of D (y - 2): x<2.5 is worth 2 (1.3635^2 + ...) = the best,
  // leaves 0 and (2 + 6 * 0.6) / 1.6 = 3.5.
  const auto staged = square->predict(table, {.rounds = 2}).values;
  const double first[] = {2.0 / 3, 2.0 / 3, 2.0 / 3, 6.0};
  const double second[] = {0.0, 0.0, 3.5, 3.5};
  // Of two values the lower one wins where its weight is at least half.
  for (int row = 0; row < 4; ++row) {
    const bool first_lower = first[row] < second[row];
    const double lower_weight = first_lower ? weight[0] : weight[1];
    const bool low = lower_weight >= 0.5 * (weight[0] + weight[1]);
    EXPECT_NEAR(staged[row], low == first_lower ? first[row] : second[row], 1e-5) << row;
  }
}

TEST(AdaBoostR2, Learns) {
  const auto table = learnable({.rows = 400, .numeric = 3}, Target::numbers, 1);
  for (const char* mode : {"reweight", "resample"}) {
    for (const char* error : {"linear", "square", "exponential"}) {
      const auto model = fit("boost.adaboost_r2", {{"mode", mode}, {"error", error}}, request_of(table));
      EXPECT_GT(model->evaluate(table, {"r2"}, "").at(0).second, 0.5) << mode << " " << error;
    }
  }
}

TEST(AdaBoostR2, ResamplingIsAFunctionOfTheSeed) {
  auto request = request_of(learnable({.rows = 100}, Target::numbers, 2));
  const Options options = {{"mode", "resample"}, {"n_estimators", "4"}};
  const std::string bytes = fit("boost.adaboost_r2", options, request)->bytes();
  EXPECT_EQ(bytes, fit("boost.adaboost_r2", options, request)->bytes());
  request.seed = 7;
  EXPECT_NE(bytes, fit("boost.adaboost_r2", options, request)->bytes());
}

}  // namespace
}  // namespace gradatim::boost
