// What gradient and Newton boosting share.
#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

const std::vector<std::string> kModels = {"boost.gradient", "boost.newton"};
const TableShape kShape{.rows = 300, .numeric = 3, .categorical = 1, .missing = 0.1};

Options with(Options options, const Options& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

TEST(AdditiveFit, EarlyStoppingKeepsTheBestRound) {
  for (const auto& name : kModels) {
    auto request = request_of(learnable(kShape, Target::two_classes, 1));
    request.valid = learnable(kShape, Target::two_classes, 2);
    const Options options = {{"learning_rate", "0.3"}};
    const auto model = fit(
        name, with(options, {{"n_estimators", "200"}, {"early_stopping_rounds", "5"}}), request);
    const auto& values = model->card().history.at(0).values;
    EXPECT_EQ(model->card().history.at(0).name, "valid.log_loss");
    const auto best = std::min_element(values.begin(), values.end()) - values.begin();
    EXPECT_LT(values.size(), 200U);
    EXPECT_EQ(values.size(), static_cast<std::size_t>(best) + 1 + 5);
    EXPECT_EQ(model->card().rounds, best + 1);
    // The kept model is the one that so many rounds would have given, and its loss is the best.
    const auto shorter =
        fit(name, with(options, {{"n_estimators", std::to_string(best + 1)}}), request);
    EXPECT_EQ(margins(*model, *request.valid), margins(*shorter, *request.valid));
    EXPECT_EQ(model->evaluate(*request.valid, {"boost.metric.log_loss"}, "").at(0).second,
              values[best]);
  }
}

TEST(AdditiveFit, ThePatienceCountsForAMetricThatIsMaximised) {
  auto request = request_of(learnable(kShape, Target::two_classes, 1));
  request.valid_fraction = 0.3;
  request.metrics = {"auc", "log_loss"};
  const auto model =
      fit("boost.newton", {{"n_estimators", "100"}, {"early_stopping_rounds", "4"}}, request);
  const auto& values = model->card().history.at(0).values;
  const auto best = std::max_element(values.begin(), values.end()) - values.begin();
  EXPECT_EQ(model->card().rounds, best + 1);
  EXPECT_EQ(model->card().history.at(1).name, "valid.log_loss");
}

TEST(AdditiveFit, SubsamplingIsAFunctionOfTheSeed) {
  for (const auto& name : kModels) {
    for (const Options& sampled :
         {Options{{"subsample", "0.5"}}, Options{{"colsample_bytree", "0.5"}}}) {
      auto request = request_of(learnable(kShape, Target::numbers, 3));
      const auto options = with(sampled, {{"n_estimators", "5"}});
      const std::string bytes = fit(name, options, request)->bytes();
      EXPECT_EQ(bytes, fit(name, options, request)->bytes());
      request.seed = 43;
      EXPECT_NE(bytes, fit(name, options, request)->bytes());
    }
  }
}

data::Table repeated(const data::Table& table) {
  const auto weight = numbers(table.column("w"));
  std::vector<std::int64_t> rows;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    rows.insert(rows.end(), static_cast<std::size_t>(weight[row]), row);
  }
  return table.take(rows).without("w");
}

TEST(AdditiveFit, AnIntegerWeightIsARowRepeated) {
  for (const auto& name : kModels) {
    for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      for (const char* method : {"histogram", "exact"}) {
        auto weighted = request_of(learnable(kShape, target, 4, true));
        weighted.weight = "w";
        const Options options = {{"n_estimators", "10"}, {"tree_method", method}};
        const auto a = margins(*fit(name, options, weighted), weighted.table);
        const auto b =
            margins(*fit(name, options, request_of(repeated(weighted.table))), weighted.table);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], 1e-5);
      }
    }
  }
}

data::Table with_column(const data::Table& table, data::Column column) {
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.push_back(std::move(column));
  return data::Table(std::move(columns));
}

TEST(AdditiveFit, AWeightOfZeroIsNoRow) {
  const auto table = learnable(kShape, Target::two_classes, 5);
  std::vector<double> weight;
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    weight.push_back(row % 3 == 0 ? 0.0 : 1.0);
    if (row % 3 != 0) kept.push_back(row);
  }
  const auto weighted = with_column(table, data::numeric_column("w", weight));
  for (const auto& name : {"boost.gradient", "boost.newton", "boost.adaboost"}) {
    auto all = request_of(weighted);
    all.weight = "w";
    auto some = request_of(weighted.take(kept));
    some.weight = "w";
    EXPECT_EQ(fit(name, {{"n_estimators", "5"}}, all)->bytes(),
              fit(name, {{"n_estimators", "5"}}, some)->bytes());
  }
}

// A fit that starts from another model's scores goes on where that one ended.
TEST(AdditiveFit, ABaseMarginContinuesAFit) {
  for (const auto& name : kModels) {
    const auto table = learnable(kShape, Target::numbers, 6);
    const auto whole = margins(*fit(name, {{"n_estimators", "10"}}, request_of(table)), table);
    const auto first = margins(*fit(name, {{"n_estimators", "5"}}, request_of(table)), table);
    auto request = request_of(with_column(table, data::numeric_column("m", first)));
    request.base_margin = {"m"};
    const auto second = fit(name, {{"n_estimators", "5"}}, request);
    const auto sum =
        second->predict(request.table, {.kind = data::PredictKind::margin, .base_margin = {"m"}});
    for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(sum.values[i], whole[i], 1e-9);
    const auto zeros =
        with_column(table, data::numeric_column("m", std::vector<double>(whole.size())));
    const auto alone =
        second->predict(zeros, {.kind = data::PredictKind::margin, .base_margin = {"m"}});
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_NEAR(alone.values[i], whole[i] - first[i], 1e-9);
    }
    // Rows without starting scores are not rows that start at zero.
    EXPECT_EQ(code_of([&] { margins(*second, table); }), 1043);
    EXPECT_EQ(code_of([&] { second->predict_staged(table, {}, [](auto, const auto&) {}); }), 1043);
    EXPECT_EQ(code_of([&] {
                const std::vector<double> row(second->card().features.columns.size());
                std::vector<double> out(1);
                second->predict_row(row, out, data::PredictKind::response);
              }),
              1043);
  }
}

TEST(AdditiveFit, ABaseMarginMustBeFiniteAndOneAScore) {
  const auto table = learnable(kShape, Target::numbers, 6);
  std::vector<double> margin(300);
  margin[7] = kNaN;
  auto request = request_of(with_column(table, data::numeric_column("m", margin)));
  request.base_margin = {"m"};
  EXPECT_EQ(code_of([&] { fit("boost.newton", {}, request); }), 2028);
  const data::Table two({data::numeric_column("x", {1, 2}), data::numeric_column("y", {1, 2}),
                         data::numeric_column("m", {0, 0}), data::numeric_column("n", {0, 0})});
  request = request_of(two);
  request.base_margin = {"m", "n"};
  EXPECT_EQ(code_of([&] { fit("boost.newton", {}, request); }), 2027);
}

TEST(AdditiveFit, StagedPredictionsAreThoseOfFewerRounds) {
  for (const auto& name : {"boost.gradient", "boost.newton", "boost.adaboost"}) {
    const auto table = learnable(kShape, Target::three_classes, 7);
    const auto model = fit(name, {{"n_estimators", "6"}}, request_of(table));
    std::int64_t stages = 0;
    model->predict_staged(table, {}, [&](std::int64_t round, const data::Predictions& p) {
      EXPECT_EQ(round, ++stages);
      EXPECT_EQ(p.values, model->predict(table, {.rounds = round}).values);
      EXPECT_EQ(p.columns, 3);
    });
    EXPECT_EQ(stages, model->card().rounds);
  }
}

TEST(AdditiveFit, TheHistoryIsWhatTheModelPredicts) {
  for (const auto& name : kModels) {
    for (const Target target : {Target::numbers, Target::two_classes, Target::three_classes}) {
      const auto table = learnable(kShape, target, 8);
      const auto model =
          fit(name, {{"n_estimators", "4"}, {"evaluate_train", "true"}}, request_of(table));
      const auto& line = model->card().history.at(0);
      const auto metric = target == Target::numbers ? "rmse" : "log_loss";
      EXPECT_EQ(model->evaluate(table, {metric}, "").at(0).second, line.values.back());
    }
  }
}

TEST(ModelFile, AVoteOrScoreThatIsNotFiniteIsRefused) {
  const std::pair<const char*, const char*> arrays[] = {{"boost.adaboost", "alpha"},
                                                        {"boost.adaboost_r2", "weight"},
                                                        {"boost.adaboost_r2", "base_score"},
                                                        {"boost.newton", "base_score"}};
  for (const auto& [name, array] : arrays) {
    const auto target =
        std::string(name) == "boost.adaboost" ? Target::two_classes : Target::numbers;
    std::string bytes =
        fit(name, {{"n_estimators", "3"}}, request_of(learnable(kShape, target, 9)))->bytes();
    const double last = SafetensorsFile(bytes, "m").read<double>(array).back();
    const auto at = bytes.rfind(std::string(reinterpret_cast<const char*>(&last), sizeof(last)));
    ASSERT_NE(at, std::string::npos);
    for (const double bad : {kNaN, kInfinity}) {
      bytes.replace(at, sizeof(bad), reinterpret_cast<const char*>(&bad), sizeof(bad));
      EXPECT_EQ(code_of([&] { data::load_model_bytes(bytes, "m"); }), 3010) << name << " " << array;
    }
  }
}

TEST(AdditiveFit, EveryLossLearns) {
  for (const char* loss : {"squared", "absolute", "huber"}) {
    for (const auto& name : kModels) {
      const auto table = learnable(kShape, Target::numbers, 9);
      const auto model = fit(name, {{"n_estimators", "30"}, {"loss", loss}}, request_of(table));
      EXPECT_GT(model->evaluate(table, {"r2"}, "").at(0).second, 0.5) << name << " " << loss;
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
