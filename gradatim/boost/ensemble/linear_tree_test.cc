// Leaves with linear models, through the ensembles: what they learn, and what they do not go with.
#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

const Options kLinear = {{"linear_tree", "true"}};

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

/// Two planes that meet at x0 = 0.5, without noise.
data::Table two_planes(std::int64_t rows, std::uint64_t seed) {
  Random r(seed);
  auto columns = random_features({.rows = rows, .numeric = 3}, r);
  const auto a = numbers(columns[0]);
  const auto b = numbers(columns[1]);
  std::vector<double> y;
  for (std::int64_t i = 0; i < rows; ++i) {
    y.push_back(a[i] > 0.5 ? 2.0 * b[i] + a[i] - 1.0 : 4.0 - 3.0 * b[i]);
  }
  columns.push_back(data::numeric_column("y", std::move(y)));
  return data::Table(columns);
}

double rmse(const data::Model& model, const data::Table& table) {
  return model.evaluate(table, {"boost.metric.rmse"}, "")[0].second;
}

// y falls, jumps at x = 0.5 and rises: a split there and two lines.
TEST(LinearTree, LearnsPiecewiseLinearTargetsToTheEnd) {
  Random r(3);
  std::vector<double> x;
  std::vector<double> y;
  for (int i = 0; i < 250; ++i) {
    x.push_back(4.0 * r.uniform() - 2.0);
    y.push_back(x.back() > 0.5 ? 2.0 * x.back() + 5.0 : 4.0 - 3.0 * x.back());
  }
  const auto request =
      request_of(data::Table({data::numeric_column("x", x), data::numeric_column("y", y)}));
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    Options options = {{"n_estimators", "40"}, {"learning_rate", "1"}, {"learner.max_depth", "3"}};
    if (std::string(model) == "boost.newton") options.emplace_back("reg_lambda", "0");
    EXPECT_LT(rmse(*fit(model, with(options, kLinear), request), request.table), 2e-6) << model;
    EXPECT_GT(rmse(*fit(model, options, request), request.table), 1e-3) << model;
  }
}

TEST(LinearTree, LearnsPlanesBetterThanConstantLeavesDo) {
  const auto train = request_of(two_planes(500, 3));
  const data::Table test = two_planes(500, 4);
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    const Options options = {
        {"n_estimators", "40"}, {"learning_rate", "0.3"}, {"learner.max_depth", "3"}};
    EXPECT_LT(rmse(*fit(model, with(options, kLinear), train), test),
              0.7 * rmse(*fit(model, options, train), test))
        << model;
  }
}

TEST(LinearTree, WithAHugeLambdaHasConstantLeavesWhereNothingIsMissing) {
  const auto request = request_of(
      learnable({.rows = 500, .numeric = 3, .categorical = 1}, Target::numbers, 4, true));
  const Options options = {{"n_estimators", "10"}};
  const auto flat = fit("boost.newton", options, request);
  const auto stiff = fit(
      "boost.newton", with(options, {{"linear_tree", "true"}, {"linear_lambda", "1e15"}}), request);
  const auto a = flat->predict(request.table, {}).values;
  const auto b = stiff->predict(request.table, {}).values;
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5);
}

TEST(LinearTree, TheFirstRoundIsConstant) {
  const auto request = request_of(two_planes(250, 5));
  const Options one = {{"n_estimators", "1"}};
  EXPECT_EQ(fit("boost.newton", with(one, kLinear), request)->predict(request.table, {}).values,
            fit("boost.newton", one, request)->predict(request.table, {}).values);
}

// Scores that the rounds kept are those of the finished model: leaf by leaf, by raw values outside
// of samples, of watched rows.
TEST(LinearTree, ScoresWhileFittingAreThoseOfTheModel) {
  for (const char* target : {"numbers", "classes"}) {
    const bool classes = std::string(target) == "classes";
    auto request =
        request_of(learnable({.rows = 600, .numeric = 3, .categorical = 1, .missing = 0.1},
                             classes ? Target::three_classes : Target::numbers, 6, true));
    request.weight = "w";
    request.valid = learnable({.rows = 200, .numeric = 3, .categorical = 1, .missing = 0.1},
                              classes ? Target::three_classes : Target::numbers, 7, true);
    for (const char* subsample : {"1", "0.6"}) {
      const auto model = fit("boost.newton",
                             with(kLinear, {{"n_estimators", "8"},
                                            {"subsample", subsample},
                                            {"evaluate_train", "true"},
                                            {"linear_lambda", "0.1"}}),
                             request);
      const std::string metric = classes ? "boost.metric.log_loss" : "boost.metric.rmse";
      for (const auto& series : model->card().history) {
        const bool train = series.name.starts_with("train");
        const auto found =
            model->evaluate(train ? request.table : *request.valid, {metric}, "w")[0].second;
        EXPECT_EQ(series.values.back(), found) << series.name << " " << target << " " << subsample;
      }
    }
  }
}

TEST(LinearTree, StopsEarlyAndKeepsTheBestRound) {
  auto request = request_of(learnable({.rows = 300, .numeric = 3}, Target::two_classes, 8));
  request.valid = learnable({.rows = 300, .numeric = 3}, Target::two_classes, 9);
  const auto model =
      fit("boost.newton", with(kLinear, {{"n_estimators", "200"}, {"early_stopping_rounds", "3"}}),
          request);
  EXPECT_LT(model->card().rounds, 100);
}

TEST(LinearTree, GoesOnWhereItStopped) {
  auto request =
      request_of(learnable({.rows = 400, .numeric = 3, .missing = 0.1}, Target::numbers, 10));
  const auto whole = fit("boost.newton", with(kLinear, {{"n_estimators", "9"}}), request);
  request.init_model = fit("boost.newton", with(kLinear, {{"n_estimators", "4"}}), request);
  const auto longer = fit("boost.newton", with(kLinear, {{"n_estimators", "5"}}), request);
  EXPECT_EQ(longer->bytes() == whole->bytes(), true);
}

TEST(LinearTree, OneRowIsARowOfMany) {
  const auto request =
      request_of(learnable({.rows = 300, .numeric = 3, .missing = 0.2}, Target::numbers, 11));
  const auto model = fit("boost.newton", with(kLinear, {{"n_estimators", "6"}}), request);
  const auto all = model->predict(request.table, {}).values;
  for (std::int64_t row = 0; row < 300; ++row) {
    std::vector<double> cells;
    for (int f = 0; f < 3; ++f) {
      double cell = 0.0;
      request.table.columns()[f].read(row, {&cell, 1});
      cells.push_back(cell);
    }
    double out = 0.0;
    model->predict_row(cells, {&out, 1}, data::PredictKind::response);
    ASSERT_EQ(out, all[row]);
  }
}

TEST(LinearTree, IsRefusedWhereItIsNotSound) {
  const auto numbers = request_of(learnable({.rows = 100, .numeric = 2}, Target::numbers, 12));
  const auto classes =
      request_of(learnable({.rows = 100, .numeric = 2}, Target::three_classes, 12));
  const auto code = [&](const char* model, const data::FitRequest& request, const Options& more) {
    return code_of([&] {
      fit(model, with(with(kLinear, {{"n_estimators", "3"}}), more), request);
    });
  };
  EXPECT_EQ(code("boost.newton", numbers, {}), 0);
  EXPECT_EQ(code("boost.newton", numbers, {{"tree_method", "exact"}}), 0);
  EXPECT_EQ(code("boost.newton", numbers, {{"rate_drop", "0.1"}}), 1070);
  for (const char* loss : {"absolute", "quantile", "huber"}) {
    EXPECT_EQ(code("boost.newton", numbers, {{"loss", loss}}), 1071) << loss;
  }
  EXPECT_EQ(code("boost.newton", classes, {{"multi_strategy", "multi_output_tree"}}), 1072);
  EXPECT_EQ(code("boost.newton", numbers, {{"monotone_constraints", "x0:1"}}), 1073);
  EXPECT_EQ(code("boost.newton", numbers, {{"path_smooth", "1"}}), 1073);
  EXPECT_EQ(code("boost.newton", numbers, {{"max_delta_step", "1"}}), 1073);
  EXPECT_EQ(code("boost.adaboost", classes, {{"learner", "cart"}}), 1074);
  EXPECT_EQ(code("boost.adaboost_r2", numbers, {{"learner", "cart"}}), 1074);
}

}  // namespace
}  // namespace gradatim::boost
