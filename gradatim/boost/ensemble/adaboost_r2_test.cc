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
  return {{"n_estimators", "2"},
          {"error", error},
          {"learner.max_depth", "1"},
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

// x = 1 2 3 4 5, y = 0 0 0 2 10.
//   round 1  the best stump splits off x = 5: leaves 1/2 and 10, |y - h| = 1/2 1/2 1/2 3/2 0,
//   relative
//            to the largest 1/3 1/3 1/3 1 0.  linear: Lbar = 2/5, beta = 2/3, weight ln(3/2).
//            square: L = 1/9 1/9 1/9 1 0, Lbar = 4/15, beta = 4/11, weight ln(11/4)
//   round 2  linear: D = beta^{1 - L} = 0.763143 (three times), 1, 2/3 over 3.956095: the same
//   split,
//            leaves 2/3.289429 = 0.608008 and 10; L = 0.436790 (three times), 1, 0; Lbar =
//            2/3.956095 = 0.505549 is not below 1/2, so the round is dropped.  square: Lbar =
//            0.7039, dropped too
TEST(AdaBoostR2, RoundsMatchTheHand) {
  const data::Table table(
      {data::numeric_column("x", {1, 2, 3, 4, 5}), data::numeric_column("y", {0, 0, 0, 2, 10})});
  for (const auto& [error, weight] : {std::pair("linear", 1.5), std::pair("square", 2.75)}) {
    const auto model = fit("boost.adaboost_r2", two_rounds(error), request_of(table));
    ASSERT_EQ(model->card().rounds, 1) << error;
    EXPECT_NEAR(array_of(*model, "weight")[0], std::log(weight), 1e-6);
    const auto values = model->predict(table, {}).values;
    for (int row = 0; row < 5; ++row) EXPECT_NEAR(values[row], row < 4 ? 0.5 : 10.0, 1e-6);
  }
}

TEST(AdaBoostR2, Learns) {
  const auto table = learnable({.rows = 400, .numeric = 3}, Target::numbers, 1);
  for (const char* mode : {"reweight", "resample"}) {
    for (const char* error : {"linear", "square", "exponential"}) {
      const auto model =
          fit("boost.adaboost_r2", {{"mode", mode}, {"error", error}}, request_of(table));
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

TEST(AdaBoostR2, WatchesTheMedianOfItsMembers) {
  auto request = request_of(learnable({.rows = 300, .numeric = 3}, Target::numbers, 3));
  request.valid = learnable({.rows = 200, .numeric = 3}, Target::numbers, 4);
  request.metrics = {"mae"};
  const auto model = fit("boost.adaboost_r2", {{"n_estimators", "12"}}, request);
  ASSERT_EQ(model->card().history.size(), 2U);
  const auto& watched = model->card().history[1];
  EXPECT_EQ(watched.name, "valid.mae");
  const auto label = numbers(request.valid->column("y"));
  model->predict_staged(*request.valid, {}, [&](std::int64_t round, const data::Predictions& p) {
    double sum = 0.0;
    for (std::size_t i = 0; i < label.size(); ++i) {
      sum += std::abs(p.values[i] - double{static_cast<float>(label[i])});
    }
    EXPECT_NEAR(watched.values[round - 1], sum / static_cast<double>(label.size()), 1e-12) << round;
  });
}

TEST(AdaBoostR2, StopsEarlyAndKeepsTheBestRound) {
  auto request = request_of(learnable({.rows = 300, .numeric = 3}, Target::numbers, 5));
  request.valid_fraction = 0.4;
  const Options options = {
      {"n_estimators", "200"}, {"early_stopping_rounds", "4"}, {"max_depth", "5"}};
  const auto model = fit("boost.adaboost_r2", options, request);
  const auto rounds = static_cast<std::size_t>(model->card().rounds);
  EXPECT_LT(rounds, 190U);
  EXPECT_EQ(model->card().history[1].name, "valid.rmse");
  EXPECT_EQ(model->card().history[1].values.size(), rounds + 4);
  EXPECT_EQ(array_of(*model, "weight").size(), rounds);
}

}  // namespace
}  // namespace gradatim::boost
