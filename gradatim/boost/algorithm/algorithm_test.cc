// What every algorithm of AdaBoost obeys, and what relates them to each other and to the gradient.
#include "gradatim/boost/algorithm/algorithm.h"

#include <gtest/gtest.h>

#include "gradatim/api/registry.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<std::string> algorithms() {
  std::vector<std::string> names;
  for (const api::Entry* entry : api::Registry::instance().list(Algorithm::kKind)) {
    names.emplace_back(entry->text.name.substr(entry->text.name.rfind('.') + 1));
  }
  return names;
}

std::vector<double> history(const data::Model& model, const std::string& name) {
  for (const auto& line : model.card().history) {
    if (line.name == name) return line.values;
  }
  ADD_FAILURE() << name;
  return {};
}

std::shared_ptr<const data::Model> boosted(const std::string& algorithm, Options options,
                                           const data::FitRequest& request) {
  options.emplace_back("algorithm", algorithm);
  return fit("boost.adaboost", options, request);
}

TEST(Algorithm, EachLearnsTwoClassesAndThree) {
  for (const auto& algorithm : algorithms()) {
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      const TableShape shape{.rows = 500, .numeric = 3, .categorical = 1, .missing = 0.1};
      const auto table = learnable(shape, target, 1);
      const auto model =
          boosted(algorithm, {{"n_estimators", "40"}, {"learner", "cart"}}, request_of(table));
      const auto error = history(*model, "train.error");
      EXPECT_LT(error.back(), 0.8 * error.front()) << algorithm;
      EXPECT_GT(model->evaluate(table, {"accuracy"}, "").at(0).second, 0.8) << algorithm;
      EXPECT_NEAR(model->evaluate(table, {"accuracy"}, "").at(0).second, 1.0 - error.back(), 1e-12);
    }
  }
}

TEST(Algorithm, ProbabilitiesSumToOneAndTheHighestScoreIsTheLikeliest) {
  for (const auto& algorithm : algorithms()) {
    const auto table = learnable({.rows = 200}, Target::three_classes, 2);
    const auto model = boosted(algorithm, {{"n_estimators", "10"}}, request_of(table));
    const auto p = model->predict(table, {}).values;
    const auto f = margins(*model, table);
    ASSERT_EQ(p.size(), f.size());
    for (std::size_t i = 0; i < p.size(); i += 3) {
      EXPECT_NEAR(p[i] + p[i + 1] + p[i + 2], 1.0, 1e-12);
      EXPECT_EQ(std::max_element(&p[i], &p[i] + 3) - &p[i],
                std::max_element(&f[i], &f[i] + 3) - &f[i]);
    }
  }
}

// A row of weight 3 is three rows of weight 1.
TEST(Algorithm, AWeightIsSoManyRows) {
  Random r(3);
  std::vector<double> x, w, x3;
  std::vector<std::int32_t> y, y3;
  for (int i = 0; i < 80; ++i) {
    x.push_back(static_cast<double>(r.below(40)));
    y.push_back(x.back() + 12.0 * r.normal() > 20.0 ? 1 : 0);
    w.push_back(1.0 + static_cast<double>(r.below(3)));
    for (int copy = 0; copy < w.back(); ++copy) {
      x3.push_back(x.back());
      y3.push_back(y.back());
    }
  }
  const data::Table weighted({data::numeric_column("x", x),
                              data::categorical_column("y", y, {"a", "b"}),
                              data::numeric_column("w", w)});
  const data::Table repeated(
      {data::numeric_column("x", x3), data::categorical_column("y", y3, {"a", "b"})});
  for (const auto& algorithm : algorithms()) {
    auto request = request_of(weighted);
    request.weight = "w";
    const auto a = margins(*boosted(algorithm, {{"n_estimators", "5"}}, request), weighted);
    const auto model = boosted(algorithm, {{"n_estimators", "5"}}, request_of(repeated));
    const auto b = margins(*model, weighted);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5) << algorithm;
  }
}

// Real and Gentle AdaBoost lower the exponential loss in every round; the bound on the error holds.
TEST(Algorithm, TheTrainingLossFalls) {
  for (const auto& algorithm : algorithms()) {
    if (algorithm == "samme") continue;
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      const auto table = learnable({.rows = 300, .numeric = 3}, target, 4);
      const auto model =
          boosted(algorithm, {{"n_estimators", "30"}, {"learning_rate", "0.5"}}, request_of(table));
      const auto loss = history(*model, "train.loss");
      for (std::size_t m = 1; m < loss.size(); ++m) EXPECT_LT(loss[m], loss[m - 1]) << algorithm;
      if (target == Target::three_classes) continue;
      const auto error = history(*model, "train.error");
      const double scale = algorithm == "logitboost" ? std::log(2.0) : 1.0;
      for (std::size_t m = 0; m < loss.size(); ++m) EXPECT_LE(error[m], loss[m] / scale);
    }
  }
}

TEST(Algorithm, TwoClassesAreRealAdaBoostForSammeR) {
  const auto request = request_of(learnable({.rows = 300, .numeric = 3}, Target::two_classes, 5));
  const auto of = [&](const char* algorithm) {
    return margins(*boosted(algorithm, {{"n_estimators", "20"}, {"learner", "cart"}}, request),
                   request.table);
  };
  EXPECT_EQ(of("real"), of("samme_r"));
}

/// Scores of Newton boosting from zero, without regularisation.
std::vector<double> newton_scores(const std::string& loss, double rate, const data::Table& table) {
  std::vector<data::Column> columns(table.columns().begin(), table.columns().end());
  columns.push_back(
      data::numeric_column("zero", std::vector<double>(static_cast<std::size_t>(table.rows()))));
  auto request = request_of(data::Table(std::move(columns)));
  request.base_margin = {"zero"};
  const auto model = fit("boost.newton",
                         {{"loss", loss},
                          {"learner", "stump"},
                          {"n_estimators", "12"},
                          {"learning_rate", fmt::format("{}", rate)}},
                         request);
  return model->predict(request.table, {.kind = data::PredictKind::margin, .base_margin = {"zero"}})
      .values;
}

// A least-squares fit to (y - p)/w by w = p (1 - p) is a Newton step on the log-likelihood, and one
// to y by e^{-yF} a Newton step on the exponential loss. Newton's score is the log-odds, twice F.
TEST(Algorithm, LogitBoostAndGentleAreNewtonBoosting) {
  const auto table = learnable({.rows = 300, .numeric = 3}, Target::two_classes, 6);
  for (const double rate : {1.0, 0.3}) {
    const Options options = {{"n_estimators", "12"},
                             {"learning_rate", fmt::format("{}", rate)},
                             {"algorithm", "logitboost"},
                             {"algorithm.z_max", "1e6"}};
    const auto logit = margins(*fit("boost.adaboost", options, request_of(table)), table);
    const auto log_odds = newton_scores("logistic", rate, table);
    const auto gentle =
        margins(*boosted("gentle", {options[0], options[1]}, request_of(table)), table);
    const auto exponential = newton_scores("exponential", rate, table);
    for (std::size_t i = 0; i < logit.size(); ++i) {
      EXPECT_NEAR(2.0 * logit[i], log_odds[i], 2e-5) << rate;
      EXPECT_NEAR(gentle[i], exponential[i], 2e-5) << rate;
    }
  }
}

TEST(Algorithm, StopsEarlyAndKeepsTheBestRound) {
  for (const auto& algorithm : algorithms()) {
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      auto request = request_of(learnable({.rows = 300}, target, 7));
      request.valid_fraction = 0.3;
      request.metrics = {"log_loss"};
      const auto model = boosted(
          algorithm, {{"n_estimators", "300"}, {"early_stopping_rounds", "6"}, {"learner", "cart"}},
          request);
      const auto values = history(*model, "valid.log_loss");
      const auto best = std::min_element(values.begin(), values.end()) - values.begin() + 1;
      EXPECT_EQ(model->card().rounds, best) << algorithm;
      EXPECT_EQ(values.size(), static_cast<std::size_t>(best) + 6) << algorithm;
      const auto so_far = boosted(
          algorithm, {{"n_estimators", fmt::format("{}", best)}, {"learner", "cart"}}, request);
      EXPECT_EQ(margins(*model, request.table), margins(*so_far, request.table)) << algorithm;
      EXPECT_NO_THROW(data::load_model_bytes(model->bytes(), "model")) << algorithm;
    }
  }
}

TEST(Algorithm, LeavesAreNeededForChancesOfClasses) {
  for (const auto& algorithm : algorithms()) {
    const bool needs = algorithm == "real" || algorithm == "samme_r";
    const auto request = request_of(learnable({.rows = 50}, Target::two_classes, 8));
    EXPECT_EQ(code_of([&] {
                boosted(algorithm, {{"learner", "linear"}}, request);
              }),
              needs ? 1060 : 0)
        << algorithm;
  }
}

TEST(Algorithm, OnlySammeResamples) {
  for (const auto& algorithm : algorithms()) {
    const auto request = request_of(learnable({.rows = 50}, Target::two_classes, 9));
    EXPECT_EQ(code_of([&] {
                boosted(algorithm, {{"mode", "resample"}}, request);
              }),
              algorithm == "samme" ? 0 : 1061)
        << algorithm;
  }
}

TEST(Algorithm, ARateThatDivergesIsRefused) {
  const auto request = request_of(learnable({.rows = 50}, Target::two_classes, 10));
  for (const auto& algorithm : algorithms()) {
    const Options options = {{"learning_rate", "1e6"}, {"n_estimators", "5"}};
    EXPECT_EQ(code_of([&] { boosted(algorithm, options, request); }), 4002) << algorithm;
  }
}

}  // namespace
}  // namespace gradatim::boost
