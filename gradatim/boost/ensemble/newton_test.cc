#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<std::vector<double>> staged(const data::Model& model, const data::Table& table) {
  std::vector<std::vector<double>> stages;
  model.predict_staged(
      table, {.kind = data::PredictKind::margin},
      [&](std::int64_t, const data::Predictions& p) { stages.push_back(p.values); });
  return stages;
}

// x = 1 2 3 4, y = 0 1 0 1, logistic loss, one split a tree, lambda = 1, learning rate 1. F_0 = 0.
// A split is worth G_l^2/(H_l + 1) + G_r^2/(H_r + 1); a leaf is -G/(H + 1).
//   round 1  g = 0.5 -0.5 0.5 -0.5, h = 0.25 each
//            x<1.5: 0.25/1.25 + 0.25/1.75 = 0.342857;  x<2.5: 0;  x<3.5: the same as the first,
//            which has the lower bin and wins.  leaves -0.5/1.25 = -0.4 and 0.5/1.75 = 0.285714
//   round 2  p = 0.401312 0.570946 0.570946 0.570946
//            g = 0.401312 -0.429053 0.570947 -0.429053, h = 0.240261 0.244967 0.244967 0.244967
//            x<1.5: 0.177384;  x<2.5: 0.014031;  x<3.5: 0.543205^2/1.730195 + 0.429053^2/1.244967 =
//            0.318408.  leaves -0.313956 and 0.344630;  F = -0.713956 -0.028242 -0.028242 0.630345
//   round 3  g = 0.328725 -0.507060 0.492940 -0.347432, h = 0.220665 0.249950 0.249950 0.226723
//            x<1.5: 0.328725^2/1.220665 + 0.361552^2/1.726623 = 0.164234;  x<2.5: 0.035964;
//            x<3.5: 0.155925.  leaves -0.269300 and 0.209399
TEST(NewtonBoosting, ThreeRoundsOfLogisticLossMatchTheHand) {
  const data::Table table({data::numeric_column("x", {1, 2, 3, 4}),
                           data::categorical_column("y", {0, 1, 0, 1}, {"a", "b"})});
  for (const char* method : {"histogram", "exact"}) {
    const auto model = fit("boost.newton",
                           {{"n_estimators", "3"},
                            {"learning_rate", "1"},
                            {"max_depth", "1"},
                            {"min_child_weight", "0"},
                            {"tree_method", method}},
                           request_of(table));
    const auto stages = staged(*model, table);
    ASSERT_EQ(stages.size(), 3U);
    const double expected[3][4] = {{-0.4, 0.285714, 0.285714, 0.285714},
                                   {-0.713956, -0.028242, -0.028242, 0.630345},
                                   {-0.983257, 0.181156, 0.181156, 0.839743}};
    for (int m = 0; m < 3; ++m) {
      for (int row = 0; row < 4; ++row) EXPECT_NEAR(stages[m][row], expected[m][row], 1.5e-6);
    }
  }
}

// g = -1 -1 2 with h = 1: lambda 1, alpha 1/2. Splitting off the last row: T(-2) = -1.5, T(2)
// = 1.5: 2.25/3 + 2.25/2 - 0 = 1.875, the gain without a factor 1/2.
TEST(NewtonBoosting, GammaIsAThresholdOnTheGainWithoutOneHalf) {
  const data::Table table({data::numeric_column("x", {1, 2, 3}),
                           data::numeric_column("y", {1, 1, -2}),
                           data::numeric_column("m", {0, 0, 0})});
  auto request = request_of(table);
  request.base_margin = {"m"};  // F_0 = 0
  const auto splits = [&](const char* gamma) {
    const auto model =
        fit("boost.newton",
            {{"n_estimators", "1"}, {"max_depth", "1"}, {"reg_alpha", "0.5"}, {"gamma", gamma}},
            request);
    return model->importances()[0];
  };
  EXPECT_NEAR(splits("1.87").gain, 1.875, 1e-6);
  EXPECT_EQ(splits("1.87").splits, 1.0);
  EXPECT_EQ(splits("1.88").splits, 0.0);
}

TEST(NewtonBoosting, ExactAndHistogramAgreeWhereEveryValueHasItsBin) {
  const TableShape shape{.rows = 250, .numeric = 3, .categorical = 1, .missing = 0.1};
  for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
    const auto table = learnable(shape, target, 4);
    const auto of = [&](const char* method) {
      const auto model =
          fit("boost.newton", {{"n_estimators", "15"}, {"tree_method", method}, {"max_bin", "255"}},
              request_of(table));
      return margins(*model, table);
    };
    EXPECT_EQ(of("exact"), of("histogram"));
  }
}

TEST(NewtonBoosting, LossesFallRoundByRound) {
  auto request = request_of(learnable({.rows = 400, .numeric = 3}, Target::two_classes, 5));
  const auto model =
      fit("boost.newton",
          {{"n_estimators", "30"}, {"evaluate_train", "true"}, {"learning_rate", "0.2"}}, request);
  const auto& values = model->card().history.at(0).values;
  EXPECT_EQ(model->card().history.at(0).name, "train.log_loss");
  ASSERT_EQ(values.size(), 30U);
  for (std::size_t m = 1; m < values.size(); ++m) EXPECT_LT(values[m], values[m - 1]);
}

TEST(NewtonBoosting, ADivergingFitIsAnError) {
  const data::Table table({data::numeric_column("x", {1, 2, 3, 4}),
                           data::numeric_column("y", {1, 1, 1, 1}),
                           data::numeric_column("m", {1e30, 0, 0, 0})});
  auto request = request_of(table);
  request.base_margin = {"m"};
  // Scores are added to by leaves, by bins, by raw values and by values that are rescaled.
  const std::vector<Options> ways = {{},
                                     {{"subsample", "0.5"}},
                                     {{"num_parallel_tree", "2"}},
                                     {{"learner", "linear"}},
                                     {{"rate_drop", "0.5"}}};
  for (Options way : ways) {
    way.emplace_back("n_estimators", "2");
    EXPECT_EQ(code_of([&] { fit("boost.newton", way, request); }), 4002) << way.front().first;
  }
}

TEST(NewtonBoosting, AFitWhoseLastOutputDivergesIsAnError) {
  const data::Table table({data::numeric_column("x", {1, 2, 3, 4, 5, 6}),
                           data::categorical_column("y", {0, 1, 2, 0, 1, 2}, {"a", "b", "c"}),
                           data::numeric_column("m0", {0, 0, 0, 0, 0, 0}),
                           data::numeric_column("m1", {0, 0, 0, 0, 0, 0}),
                           data::numeric_column("m2", {0, 0, 0, 0, 0, 1e30})});
  auto request = request_of(table);
  request.base_margin = {"m0", "m1", "m2"};
  for (const char* strategy : {"one_output_per_tree", "multi_output_tree"}) {
    const Options options = {{"n_estimators", "1"}, {"multi_strategy", strategy}};
    EXPECT_EQ(code_of([&] { fit("boost.newton", options, request); }), 4002) << strategy;
  }
}

}  // namespace
}  // namespace gradatim::boost
