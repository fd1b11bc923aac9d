// Fits over shared rows: cross-validation.
#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/cross_validate.h"
#include "gradatim/data/split.h"

namespace gradatim::boost {
namespace {

using namespace testing;

// So few values that every fold has all of them: bins of a fold are the bins of all rows.
const TableShape kFew{.rows = 400, .numeric = 3, .missing = 0.1, .distinct = 6};

data::CrossValidation cv(const std::string& model, const Options& options,
                         const data::FitRequest& request, const data::FoldOptions& folds) {
  return data::cross_validate(api::parse_settings(model, options), request, folds);
}

TEST(CrossValidation, IsTheMeanOfFitsOnTheRowsOutsideEachFold) {
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      auto request = request_of(learnable(kFew, target, 1, true));
      request.weight = "w";
      Options options = {{"n_estimators", "4"}, {"max_depth", "3"}, {"subsample", "0.8"}};
      if (target == Target::two_classes) {
        options.insert(options.end(), {{"class_weight", "balanced"}, {"sampling_method", "goss"}});
      }
      const auto result = cv(model, options, request, {.folds = 3});
      const auto fold = data::assign_folds(request.table.rows(), 3, request.seed);
      std::vector<std::vector<double>> histories;
      for (int f = 0; f < 3; ++f) {
        const auto split = data::fold_split(fold, f);
        auto own = request;
        own.table = request.table.take(split.train);
        own.valid = request.table.take(split.valid);
        histories.push_back(fit(model, options, own)->card().history.at(0).values);
      }
      ASSERT_EQ(result.lines.at(0).mean.size(), 4U);
      for (std::size_t r = 0; r < 4; ++r) {
        const double a = histories[0][r], b = histories[1][r], c = histories[2][r];
        const double mean = (a + b + c) / 3.0;
        EXPECT_NEAR(result.lines[0].mean[r], mean, 1e-12) << model;
        const double variance =
            ((a - mean) * (a - mean) + (b - mean) * (b - mean) + (c - mean) * (c - mean)) / 3.0;
        EXPECT_NEAR(result.lines[0].deviation[r], std::sqrt(variance), 1e-9);
      }
    }
  }
}

TEST(CrossValidation, OfSeveralTargetsIsTheMeanToo) {
  const auto request =
      with_second_target(request_of(learnable({.rows = 400, .distinct = 6}, Target::numbers, 1)));
  for (const char* loss : {"squared", "absolute"}) {
    const Options options = {{"n_estimators", "3"}, {"loss", loss}};
    const auto result = cv("boost.newton", options, request, {.folds = 2});
    const auto fold = data::assign_folds(request.table.rows(), 2, request.seed);
    double mean = 0.0;
    for (int f = 0; f < 2; ++f) {
      const auto split = data::fold_split(fold, f);
      auto own = request;
      own.table = request.table.take(split.train);
      own.valid = request.table.take(split.valid);
      mean += fit("boost.newton", options, own)->card().history.at(0).values.back() / 2.0;
    }
    EXPECT_NEAR(result.lines.at(0).mean.back(), mean, 1e-9) << loss;
  }
}

// A weight that float32 rounds to zero is none, for folds by group too, whose rows are counted on
// their own.
TEST(CrossValidation, RowsOfWeightZeroAreInNoFold) {
  const auto whole = learnable(kFew, Target::numbers, 1);
  std::vector<data::Column> columns(whole.columns().begin(), whole.columns().end());
  std::vector<double> weight, group;
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < whole.rows(); ++row) {
    const bool none = row % 3 == 0;
    weight.push_back(none ? (row % 2 == 0 ? 0.0 : 1e-60) : 1.0);
    group.push_back(none && row % 5 == 0 ? kNaN : static_cast<double>(row % 20));
    if (!none) kept.push_back(row);
  }
  columns.push_back(data::numeric_column("w", std::move(weight)));
  columns.push_back(data::numeric_column("g", std::move(group)));
  auto request = request_of(data::Table(std::move(columns)));
  request.weight = "w";
  const auto mean = [&](const data::FitRequest& from, const std::string& groups) {
    return cv("boost.newton", {{"n_estimators", "2"}}, from, {.folds = 4, .group = groups})
        .lines.at(0)
        .mean;
  };
  auto some = request;
  some.table = request.table.take(kept);
  EXPECT_EQ(mean(request, "g"), mean(some, "g"));
  EXPECT_EQ(code_of([&] { mean(request, "y"); }), 1038) << "the target tells no groups";
}

TEST(CrossValidation, EndsWithItsTime) {
  const auto request = request_of(learnable(kFew, Target::numbers, 1));
  const auto result =
      cv("boost.newton", {{"n_estimators", "50"}, {"max_seconds", "1e-9"}}, request, {});
  EXPECT_EQ(result.lines.at(0).mean.size(), 1U);
}

TEST(CrossValidation, StopsOnTheMean) {
  const auto request = request_of(learnable(kFew, Target::two_classes, 1));
  const auto result = cv("boost.newton", {{"n_estimators", "500"}, {"early_stopping_rounds", "7"}},
                         request, {.stratified = true});
  const auto& mean = result.lines.at(0).mean;
  const auto best = std::min_element(mean.begin(), mean.end()) - mean.begin();
  EXPECT_EQ(result.best_round, best + 1);
  EXPECT_EQ(mean.size(), static_cast<std::size_t>(best) + 1 + 7);
  EXPECT_LT(mean.size(), 500U);
}

TEST(CrossValidation, IsTheSameOnAnyNumberOfThreadsWithEverythingOn) {
  auto request = request_of(learnable({.rows = 9000, .numeric = 3}, Target::two_classes, 1, true));
  request.weight = "w";
  request.metrics = {"auc", "log_loss"};
  const Options options = {{"n_estimators", "4"},
                           {"subsample", "0.5"},
                           {"num_parallel_tree", "2"},
                           {"rate_drop", "0.5"}};
  const auto on = [&](int threads) {
    const ThreadScope scope(threads);
    return cv("boost.newton", options, request, {.folds = 3});
  };
  const auto one = on(1);
  const auto four = on(4);
  ASSERT_EQ(one.lines.size(), 2U);
  EXPECT_EQ(one.lines[0].mean, four.lines[0].mean);
  EXPECT_EQ(one.lines[1].deviation, four.lines[1].deviation);
  EXPECT_GT(one.lines[0].mean.back(), 0.7);
}

TEST(CrossValidation, EveryLearnerTakesPart) {
  const auto request = request_of(learnable(kFew, Target::numbers, 1));
  for (const char* learner : {"tree", "cart", "stump", "linear"}) {
    const auto result =
        cv("boost.gradient", {{"n_estimators", "20"}, {"learner", learner}}, request, {});
    EXPECT_LT(result.lines[0].mean.back(), result.lines[0].mean.front()) << learner;
  }
}

// Every value of x has a target of its own, so that only a group that was seen can be predicted.
TEST(CrossValidation, RowsOfAGroupStayTogether) {
  Random random(1);
  std::vector<double> x, y, group;
  for (int row = 0; row < 300; ++row) {
    const int g = row % 30;
    x.push_back(g * 7 % 30);
    y.push_back(random.uniform() < 2.0 ? (g * 17 % 30 > 14 ? 1.0 : -1.0) : 0.0);
    group.push_back(g);
  }
  const data::Table table({data::numeric_column("x", x), data::numeric_column("g", group),
                           data::numeric_column("y", y)});
  auto request = request_of(table);
  const auto apart = cv("boost.newton", {}, request, {.group = "g"});
  request.table = table.without("g");
  const auto mixed = cv("boost.newton", {}, request, {});
  EXPECT_LT(mixed.lines[0].mean.back(), 0.1);
  EXPECT_GT(apart.lines[0].mean.back(), 0.5);
}

TEST(CrossValidation, RowsOfWeightZeroAreNotThere) {
  auto table = learnable(kFew, Target::two_classes, 1, true);
  std::vector<double> weight = numbers(table.column("w"));
  std::vector<std::int64_t> kept;
  for (std::size_t row = 0; row < weight.size(); ++row) {
    if (row % 3 == 0) weight[row] = 0.0;
    if (row % 3 != 0) kept.push_back(static_cast<std::int64_t>(row));
  }
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.back() = data::numeric_column("w", weight);
  auto request = request_of(data::Table(columns));
  request.weight = "w";
  const Options options = {{"n_estimators", "3"}};
  const auto all = cv("boost.newton", options, request, {.stratified = true});
  request.table = request.table.take(kept);
  EXPECT_EQ(all.lines[0].mean,
            cv("boost.newton", options, request, {.stratified = true}).lines[0].mean);
  EXPECT_EQ(all.rows, static_cast<std::int64_t>(kept.size()));
}

TEST(CrossValidation, RefusesWhatIsNotPossible) {
  const auto request = request_of(learnable({.rows = 20}, Target::numbers, 1));
  const auto code = [&](const char* model, const data::FoldOptions& folds) {
    return code_of([&] { cv(model, {}, request, folds); });
  };
  EXPECT_EQ(code("boost.adaboost_r2", {}), 1036);
  EXPECT_EQ(code("boost.newton", {.folds = 1}), 2018);
  EXPECT_EQ(code("boost.newton", {.folds = 21}), 2018);
  EXPECT_EQ(code("boost.newton", {.stratified = true}), 1038);
  EXPECT_EQ(code("boost.newton", {.stratified = true, .group = "x0"}), 1038);
  EXPECT_EQ(code("boost.newton", {.group = "nothing"}), 2004);
  const auto targets = with_second_target(request);
  EXPECT_EQ(code_of([&] { cv("boost.newton", {}, targets, {.stratified = true}); }), 1038);
  EXPECT_EQ(code_of([&] {
              cv("boost.newton", {{"class_weight", "balanced"}}, targets, {});
            }),
            1033);
}

}  // namespace
}  // namespace gradatim::boost
