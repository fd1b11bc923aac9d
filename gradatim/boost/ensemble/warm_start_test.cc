// Going on from a model.
#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

const TableShape kShape{.rows = 300, .numeric = 3, .categorical = 1, .missing = 0.1};

struct Case {
  std::string model;
  Options options;
  data::FitRequest request;
};

std::shared_ptr<const data::Model> rounds(const Case& c, int n,
                                          std::shared_ptr<const data::Model> before = nullptr) {
  Case own = c;
  own.options.emplace_back("n_estimators", std::to_string(n));
  own.request.init_model = std::move(before);
  return fit(own.model, own.options, own.request);
}

std::vector<Case> every_case() {
  std::vector<Case> cases;
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      auto request = request_of(learnable(kShape, target, 1, true));
      request.weight = "w";
      cases.push_back({model, {}, request});
      cases.push_back({model, {{"subsample", "0.6"}, {"colsample_bytree", "0.5"}}, request});
      request.valid_fraction = 0.3;
      cases.push_back({model, {{"evaluate_train", "true"}}, request});
    }
    cases.push_back(
        {model, {{"learner", "linear"}}, request_of(learnable({}, Target::numbers, 1))});
    cases.push_back({model, {{"learner", "stump"}}, request_of(learnable({}, Target::numbers, 1))});
  }
  auto targets = with_second_target(request_of(learnable(kShape, Target::numbers, 1)));
  targets.valid_fraction = 0.3;
  cases.push_back({"boost.newton", {{"loss", "absolute"}}, targets});
  cases.push_back({"boost.newton", {{"multi_strategy", "multi_output_tree"}}, targets});
  // Packed histograms, with gradients that switch between narrow and wide.
  for (const char* method : {"uniform", "goss", "gradient_based"}) {
    cases.push_back({"boost.newton",
                     {{"sampling_method", method}, {"subsample", "0.5"}},
                     request_of(learnable({.rows = 70000}, Target::numbers, 2))});
  }
  return cases;
}

TEST(WarmStart, SomeRoundsAndThenMoreAreAllRoundsToTheByte) {
  for (const Case& c : every_case()) {
    const std::string all = rounds(c, 5)->bytes();
    const auto some = rounds(c, 3);
    EXPECT_EQ(rounds(c, 2, some)->bytes() == all, true) << c.model;
    // The model may come from a file.
    const auto loaded = data::load_model_bytes(some->bytes(), "file");
    EXPECT_EQ(rounds(c, 2, loaded)->bytes() == all, true) << c.model;
    EXPECT_EQ(rounds(c, 1, rounds(c, 4))->bytes() == all, true) << c.model;
  }
}

TEST(WarmStart, AnEarlyStopCountsTheRoundsBefore) {
  Case c{"boost.newton", {{"early_stopping_rounds", "3"}}, {}};
  c.request = request_of(learnable(kShape, Target::two_classes, 1));
  c.request.valid = learnable(kShape, Target::two_classes, 2);
  const auto all = rounds(c, 100);
  ASSERT_LT(all->card().rounds, 90);
  const auto again = rounds(c, 100 - 2, rounds(c, 2));
  EXPECT_EQ(again->bytes() == all->bytes(), true);
}

TEST(WarmStart, TheMembersOfTheModelStayOnOtherRows) {
  auto request = request_of(learnable(kShape, Target::two_classes, 1));
  const Options options = {{"n_estimators", "4"}};
  const auto first = fit("boost.newton", options, request);
  request.table = learnable(kShape, Target::two_classes, 9);
  request.init_model = first;
  const auto second = fit("boost.newton", options, request);
  EXPECT_EQ(second->card().rounds, 8);
  const auto some = second->predict(
      request.table, {.kind = data::PredictKind::margin, .rounds = first->card().rounds});
  EXPECT_EQ(some.values, margins(*first, request.table));
  EXPECT_LT(second->evaluate(request.table, {"boost.metric.log_loss"}, "").at(0).second,
            first->evaluate(request.table, {"boost.metric.log_loss"}, "").at(0).second);
}

TEST(WarmStart, NumbersOfAnyKindStandForTheModels) {
  Case c{"boost.newton", {}, {}};
  const auto table = learnable({.rows = 200, .numeric = 2, .distinct = 9}, Target::numbers, 1);
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  std::vector<std::int64_t> cells;
  for (const double x : numbers(columns[1])) cells.push_back(static_cast<std::int64_t>(x));
  columns[1] = data::integer_column("x1", cells);
  c.request = request_of(data::Table(columns));
  const auto some = rounds(c, 3);
  const std::string all = rounds(c, 5)->bytes();
  c.request.table = table;
  EXPECT_EQ(rounds(c, 2, some)->bytes() == all, true);
}

data::Table words(const data::Categories& categories, std::int64_t rows) {
  std::vector<std::int32_t> codes;
  std::vector<double> y;
  for (std::int64_t row = 0; row < rows; ++row) {
    codes.push_back(static_cast<std::int32_t>(row % static_cast<std::int64_t>(categories.size())));
    y.push_back(static_cast<double>(categories[codes.back()][0]));
  }
  return data::Table(
      {data::categorical_column("c", codes, categories), data::numeric_column("y", std::move(y))});
}

TEST(WarmStart, OldCategoriesKeepTheirCodesAndNewOnesFollow) {
  const Options options = {{"n_estimators", "3"}, {"min_cat_weight", "0"}};
  for (const char* learner : {"tree", "cart"}) {
    Options own = options;
    if (std::string(learner) == "cart") own = {{"n_estimators", "3"}};
    own.emplace_back("learner", learner);
    auto request = request_of(words({"b", "k", "t"}, 90));
    const auto first = fit("boost.newton", own, request);
    request.table = words({"z", "k", "a", "b", "t"}, 100);
    request.init_model = first;
    const auto second = fit("boost.newton", own, request);
    const auto& before = *first->card().features.columns[0].categories;
    const auto& after = *second->card().features.columns[0].categories;
    ASSERT_EQ(after.size(), 5U);
    EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
    // The old members see a new category as the old model did: as missing.
    const auto some = second->predict(request.table, {.rounds = 3});
    EXPECT_EQ(some.values, first->predict(request.table, {}).values);
    EXPECT_EQ(data::load_model_bytes(second->bytes(), "file")->predict(request.table, {}).values,
              second->predict(request.table, {}).values);
  }
}

TEST(WarmStart, WithDropoutTheOldRoundsMayBeDroppedToo) {
  Case c{"boost.newton", {{"rate_drop", "0.5"}, {"evaluate_train", "true"}}, {}};
  c.request = request_of(learnable(kShape, Target::two_classes, 1));
  const auto model = rounds(c, 6, rounds(c, 4));
  EXPECT_EQ(model->card().rounds, 10);
  EXPECT_EQ(model->evaluate(c.request.table, {"boost.metric.log_loss"}, "").at(0).second,
            model->card().history.at(0).values.back());
}

TEST(WarmStart, ScoresStayExactWhereTheOldModelHasAFinerGrid) {
  auto request = request_of(learnable(kShape, Target::numbers, 1));
  const Options options = {{"n_estimators", "4"}};
  request.init_model = fit("boost.newton", options, request);
  std::vector<double> large = numbers(request.table.column("y"));
  for (double& y : large) y = y * 1e4 + 1e4;
  std::vector<data::Column> columns(request.table.columns().begin(), request.table.columns().end());
  columns.back() = data::numeric_column("y", large);
  request.table = data::Table(columns);
  const auto model = fit("boost.newton", {{"n_estimators", "40"}}, request);
  EXPECT_GT(model->evaluate(request.table, {"boost.metric.r2"}, "").at(0).second, 0.8);
}

// Scores of one loss mean nothing to another: e^y is no y.
TEST(WarmStart, GoesOnWithTheLossOfTheModel) {
  auto request = request_of(learnable({.rows = 200}, Target::two_classes, 1));
  request.table = request.table.without("y");
  std::vector<data::Column> columns(request.table.columns().begin(), request.table.columns().end());
  std::vector<double> y;
  for (const double x : numbers(columns[0])) y.push_back(100.0 + 50.0 * std::floor(x));
  columns.push_back(data::numeric_column("y", std::move(y)));
  request.table = data::Table(std::move(columns));
  const Options poisson = {{"loss", "poisson"}, {"n_estimators", "5"}};
  request.init_model = fit("boost.newton", poisson, request);
  const std::string named = fit("boost.newton", poisson, request)->bytes();
  EXPECT_EQ(fit("boost.newton", {{"n_estimators", "5"}}, request)->bytes() == named, true);
  const auto code = [&](const char* loss) {
    return code_of([&] { fit("boost.newton", {{"loss", loss}}, request); });
  };
  EXPECT_EQ(code("squared"), 1034);
  EXPECT_EQ(code("tweedie"), 1034);
}

int code(const data::FitRequest& request, const std::string& model, const Options& options = {}) {
  return code_of([&] { fit(model, options, request); });
}

TEST(WarmStart, RefusesWhatDoesNotFit) {
  const TableShape plain{.rows = 60, .numeric = 2};
  const Options short_fit = {{"n_estimators", "2"}};
  const auto start = request_of(learnable(plain, Target::two_classes, 1));
  auto request = start;
  request.init_model = fit("boost.newton", short_fit, request);
  EXPECT_EQ(code(request, "boost.newton", short_fit), 0);
  EXPECT_EQ(code(request, "boost.adaboost"), 1036) << "AdaBoost cannot go on";
  EXPECT_EQ(code(request, "boost.newton", {{"learner", "linear"}}), 1034) << "other members";
  request.table = learnable({.rows = 60, .numeric = 3}, Target::two_classes, 1);
  EXPECT_EQ(code(request, "boost.newton"), 1034) << "a feature too many";
  request.table = learnable({.rows = 60, .numeric = 1}, Target::two_classes, 1);
  EXPECT_EQ(code(request, "boost.newton"), 2004) << "a feature too few";
  request.table = learnable(plain, Target::three_classes, 1);
  EXPECT_EQ(code(request, "boost.newton"), 2026) << "another class";
  request.table = start.table;
  request.init_model = fit("boost.adaboost", short_fit, start);
  EXPECT_EQ(code(request, "boost.newton"), 1036) << "no sum of members";
  request.init_model =
      fit("boost.newton", short_fit, request_of(learnable(plain, Target::numbers, 1)));
  EXPECT_EQ(code(request, "boost.newton", {{"loss", "logistic"}}), 1034) << "another task";
  const auto three = request_of(learnable(plain, Target::three_classes, 1));
  request.table = three.table;
  request.init_model = fit(
      "boost.newton",
      {{"multi_strategy", "multi_output_tree"}, {"num_parallel_tree", "3"}, {"n_estimators", "1"}},
      three);
  EXPECT_EQ(code(request, "boost.newton"), 1034) << "as many members, of other outputs";
  EXPECT_EQ(code(request, "boost.newton", {{"num_parallel_tree", "2"}}), 1034);
  auto linear =
      request_of(learnable({.rows = 60, .categorical = 1, .categories = 2}, Target::numbers, 1));
  linear.init_model = fit("boost.newton", {{"learner", "linear"}, {"n_estimators", "1"}}, linear);
  linear.table = learnable({.rows = 60, .categorical = 1, .categories = 5}, Target::numbers, 1);
  EXPECT_EQ(code(linear, "boost.newton", {{"learner", "linear"}}), 1034) << "new categories";
}

}  // namespace
}  // namespace gradatim::boost
