#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/model_parts_test.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<double> alphas(const data::Model& model) {
  const std::string bytes = model.bytes();
  return SafetensorsFile(bytes, "model").read<double>("alpha");
}

std::vector<double> history(const data::Model& model, const std::string& name) {
  for (const auto& line : model.card().history) {
    if (line.name == name) return line.values;
  }
  return {};
}

data::Table table_of(std::vector<double> x, std::vector<std::int32_t> y, data::Categories classes) {
  return data::Table({data::numeric_column("x", std::move(x)),
                      data::categorical_column("y", std::move(y), std::move(classes))});
}

/// Scores after each round.  // [rounds][rows * columns]
std::vector<std::vector<double>> staged(const data::Model& model, const data::Table& table) {
  std::vector<std::vector<double>> stages;
  model.predict_staged(
      table, {.kind = data::PredictKind::margin},
      [&](std::int64_t, const data::Predictions& p) { stages.push_back(p.values); });
  return stages;
}

// Li Hang's example (Statistical Learning Methods, 2012, example 8.1): ten rows, stumps that
// minimise the weighted error.
//   x      0  1  2  3  4  5  6  7  8  9
//   y      +  +  +  -  -  -  +  +  +  -
//   D_1    1/10 each.  h_1 = + below 2.5, else -: wrong on 6, 7, 8, e_1 = 3/10,
//          alpha_1 = 1/2 ln(7/3) = 0.4236
//   D_2    1/14 where right (D_1 / 2(1 - e_1)), 1/6 where wrong (D_1 / 2 e_1).
//          h_2 = + below 8.5, else -: wrong on 3, 4, 5, e_2 = 3/14, alpha_2 = 1/2 ln(11/3) = 0.6496
//   D_3    0 1 2 9: 1/22; 3 4 5: 1/6; 6 7 8: 7/66.
//          h_3 = - below 5.5, else +: wrong on 0, 1, 2, 9, e_3 = 4/22, alpha_3 = 1/2 ln(9/2) =
//          0.7520
// sign(0.4236 h_1 + 0.6496 h_2 + 0.7520 h_3) is right on every row.
const std::vector<int> kSigns = {1, 1, 1, -1, -1, -1, 1, 1, 1, -1};
const std::vector<double> kErrors = {3.0 / 10, 3.0 / 14, 2.0 / 11};

int hypothesis(int round, int x) {
  if (round == 0) return x < 2.5 ? 1 : -1;
  if (round == 1) return x < 8.5 ? 1 : -1;
  return x < 5.5 ? -1 : 1;
}

data::Table textbook() {
  std::vector<double> x;
  std::vector<std::int32_t> y;
  for (int i = 0; i < 10; ++i) {
    x.push_back(i);
    y.push_back(kSigns[i] > 0 ? 1 : 0);
  }
  return table_of(x, y, {"minus", "plus"});
}

TEST(AdaBoost, ThreeRoundsMatchTheTextbook) {
  const data::Table table = textbook();
  const auto model =
      fit("boost.adaboost",
          {{"n_estimators", "3"}, {"learner", "stump"}, {"learner.criterion", "error"}},
          request_of(table));
  const auto alpha = alphas(*model);
  ASSERT_EQ(alpha.size(), 3U);
  const auto stages = staged(*model, table);
  std::vector<double> score(10);
  double bound = 1.0;
  for (int m = 0; m < 3; ++m) {
    const double e = kErrors[m];
    EXPECT_NEAR(alpha[m], 0.5 * std::log((1 - e) / e), 1e-9);
    for (int x = 0; x < 10; ++x) {
      score[x] += alpha[m] * hypothesis(m, x);
      EXPECT_NEAR(stages[m][x], score[x], 1e-12) << "round " << m + 1 << ", x " << x;
    }
    bound *= 2.0 * std::sqrt(e * (1 - e));
    EXPECT_NEAR(history(*model, "train.error_bound")[m], bound, 1e-9);
  }
  EXPECT_EQ(history(*model, "train.error"), (std::vector<double>{0.3, 0.3, 0.0}));
}

// Why alpha_m is 1/2 ln((1 - e)/e): sum_i D_i exp(-alpha y_i h(x_i)), which bounds the error, is
// least there, and under the next D the same h is no better than a coin.
TEST(AdaBoost, AlphaIsWhereTheExponentialLossIsStationary) {
  RowDistribution d(10, {});
  for (int m = 0; m < 3; ++m) {
    const auto agreement = [&](std::int64_t row) {
      return static_cast<double>(kSigns[row] * hypothesis(m, static_cast<int>(row)));
    };
    const auto wrong = [&](std::int64_t row) { return agreement(row) < 0 ? 1.0 : 0.0; };
    const auto loss = [&](double alpha) {
      return d.mean([&](std::int64_t row) { return std::exp(-alpha * agreement(row)); });
    };
    const double e = d.mean(wrong);
    EXPECT_NEAR(e, kErrors[m], 1e-15);
    const double alpha = 0.5 * std::log((1 - e) / e);
    constexpr double kStep = 1e-5;
    EXPECT_NEAR((loss(alpha + kStep) - loss(alpha - kStep)) / (2 * kStep), 0.0, 1e-9);
    EXPECT_GT(loss(alpha + 0.1), loss(alpha));
    EXPECT_GT(loss(alpha - 0.1), loss(alpha));
    EXPECT_NEAR(loss(alpha), 2 * std::sqrt(e * (1 - e)), 1e-15);
    d.tilt([&](std::int64_t row) { return -alpha * agreement(row); });
    EXPECT_NEAR(d.mean(wrong), 0.5, 1e-15);
  }
}

/// Follows D through a fitted model: every alpha, and the error of each member under the next D.
void expect_samme(const data::Model& model, const data::Table& table, int classes) {
  const auto labels = [&](std::int64_t row) {
    std::vector<std::int32_t> codes(table.rows());
    table.column("y").read_codes(0, codes);
    return codes[row];
  };
  const auto alpha = alphas(model);
  const auto stages = staged(model, table);
  const bool binary = classes == 2;
  RowDistribution d(table.rows(), {});
  for (std::size_t m = 0; m < alpha.size(); ++m) {
    std::vector<std::uint8_t> wrong(table.rows());
    for (std::int64_t row = 0; row < table.rows(); ++row) {
      auto before = [&](std::int64_t at) { return m == 0 ? 0.0 : stages[m - 1][at]; };
      const auto label = labels(row);
      wrong[row] = binary ? (stages[m][row] > before(row)) != (label == 1)
                          : stages[m][row * classes + label] == before(row * classes + label);
    }
    const double e = d.mean([&](std::int64_t row) { return wrong[row] ? 1.0 : 0.0; });
    EXPECT_LT(e, 1.0 - 1.0 / classes);
    if (e == 0.0) break;
    EXPECT_NEAR(alpha[m], 0.5 * (std::log((1 - e) / e) + std::log(classes - 1.0)), 1e-8) << m;
    d.tilt([&](std::int64_t row) { return wrong[row] ? alpha[m] : -alpha[m]; });
    const double next = d.mean([&](std::int64_t row) { return wrong[row] ? 1.0 : 0.0; });
    EXPECT_NEAR(next, 1.0 - 1.0 / classes, 1e-9) << "no better than a guess";
  }
}

TEST(AdaBoost, EveryAlphaFollowsFromItsErrorAndTheBoundHolds) {
  const auto table = learnable({.rows = 200}, Target::two_classes, 1);
  for (const char* mode : {"reweight", "resample"}) {
    const auto model =
        fit("boost.adaboost", {{"n_estimators", "25"}, {"mode", mode}}, request_of(table));
    EXPECT_GT(model->card().rounds, 5);
    expect_samme(*model, table, 2);
    const auto errors = history(*model, "train.error");
    const auto bounds = history(*model, "train.error_bound");
    ASSERT_EQ(errors.size(), static_cast<std::size_t>(model->card().rounds));
    for (std::size_t m = 0; m < errors.size(); ++m) EXPECT_LE(errors[m], bounds[m]) << m;
  }
}

TEST(AdaBoost, ThreeClassesAreSamme) {
  const auto table = learnable({.rows = 300}, Target::three_classes, 2);
  const auto model = fit("boost.adaboost", {{"n_estimators", "20"}}, request_of(table));
  EXPECT_GT(model->card().rounds, 5);
  expect_samme(*model, table, 3);
}

TEST(AdaBoost, StopsAtAPerfectMember) {
  const auto table = table_of({1, 2, 3, 4}, {0, 0, 1, 1}, {"a", "b"});
  const auto model = fit("boost.adaboost", {}, request_of(table));
  EXPECT_EQ(model->card().rounds, 1);
  EXPECT_EQ(history(*model, "train.error"), (std::vector<double>{0.0}));
}

// All x are equal, so the member says the heavier class: e_1 = 1/3. Then the wrong row weighs 1/2.
TEST(AdaBoost, StopsAtAMemberNoBetterThanChance) {
  const auto table = table_of({1, 1, 1}, {0, 0, 1}, {"a", "b"});
  const auto model = fit("boost.adaboost", {}, request_of(table));
  EXPECT_EQ(model->card().rounds, 1);
  EXPECT_NEAR(alphas(*model)[0], 0.5 * std::log(2.0), 1e-8);
}

TEST(AdaBoost, AHopelessFirstMemberVotesAlone) {
  const auto table = table_of({1, 1, 2, 2}, {0, 1, 0, 1}, {"a", "b"});
  const auto model = fit("boost.adaboost", {}, request_of(table));
  EXPECT_EQ(alphas(*model), (std::vector<double>{1.0}));
}

TEST(AdaBoost, DrawsAgainWhereADrawHasOneClass) {
  const auto table = table_of({1, 2, 3}, {0, 0, 1}, {"a", "b"});
  int single = 0;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    auto request = request_of(table);
    request.seed = seed;
    const bool one_class = RowDistribution(3, {}).draw(seed, 0)[2] % 3 == 0;
    single += one_class ? 1 : 0;
    const Options once = {{"mode", "resample"}, {"max_redraws", "0"}, {"n_estimators", "1"}};
    EXPECT_EQ(code_of([&] { fit("boost.adaboost", once, request); }), one_class ? 2029 : 0);
    EXPECT_NO_THROW(fit("boost.adaboost", {{"mode", "resample"}}, request));
  }
  EXPECT_GT(single, 3);
}

TEST(AdaBoost, ResamplingIsAFunctionOfTheSeed) {
  auto request = request_of(learnable({.rows = 150}, Target::two_classes, 3));
  const Options options = {{"mode", "resample"}, {"n_estimators", "5"}};
  const std::string bytes = fit("boost.adaboost", options, request)->bytes();
  EXPECT_EQ(bytes, fit("boost.adaboost", options, request)->bytes());
  request.seed = 43;
  EXPECT_NE(bytes, fit("boost.adaboost", options, request)->bytes());
}

// Six words: p, q, r (10, 1 and 2 rows) are all a; s, t, u (20 rows each) are a four times. Sorted
// by the share of a, the best split {p, q, r} is one of neighbours, whatever the words' weights.
TEST(AdaBoost, WordsAreSortedByTheirShareOfAClass) {
  const std::vector<std::pair<int, int>> rows_and_a = {{10, 10}, {1, 1},  {2, 2},
                                                       {20, 4},  {20, 4}, {20, 4}};
  std::vector<std::int32_t> word;
  std::vector<std::int32_t> y;
  for (int w = 0; w < 6; ++w) {
    for (int i = 0; i < rows_and_a[w].first; ++i) {
      word.push_back(w);
      y.push_back(i < rows_and_a[w].second ? 0 : 1);
    }
  }
  const data::Table table({data::categorical_column("c", word, {"p", "q", "r", "s", "t", "u"}),
                           data::categorical_column("y", y, {"a", "b"})});
  for (const char* criterion : {"gini", "error"}) {
    const auto model =
        fit("boost.adaboost", {{"n_estimators", "1"}, {"learner.criterion", criterion}},
            request_of(table));
    EXPECT_NEAR(history(*model, "train.error")[0], 12.0 / 73, 1e-12) << criterion;
  }
}

// Two words of twelve are a, the others b, and one of the former has few rows. The weights sum up
// to 1, but min_cat_weight counts rows of mean weight: 256 / 12 of them are worth one here.
TEST(AdaBoost, TreesSplitOnWordsWhateverTheWeightsSumUpTo) {
  std::vector<std::int32_t> word, y;
  for (int w = 0; w < 12; ++w) {
    for (int i = 0; i < (w == 11 ? 5 : 20); ++i) {
      word.push_back(w);
      y.push_back(w >= 10 ? 0 : 1);
    }
  }
  data::Categories words;
  for (int w = 0; w < 12; ++w) words.push_back(fmt::format("word{:02}", w));
  const data::Table table(
      {data::categorical_column("c", word, words), data::categorical_column("y", y, {"a", "b"})});
  const auto error = [&](Options options, const char* rows_of_256) {
    options.insert(options.end(), {{"n_estimators", "1"},
                                   {"learner", "tree"},
                                   {"max_depth", "1"},
                                   {"min_cat_weight", rows_of_256}});
    return history(*fit("boost.adaboost", options, request_of(table)), "train.error")[0];
  };
  for (const char* algorithm : {"samme", "samme_r", "real"}) {
    EXPECT_NEAR(error({{"algorithm", algorithm}}, "15"), 0.0, 1e-12) << algorithm;
  }
  EXPECT_NEAR(error({{"mode", "resample"}}, "15"), 0.0, 1e-12);
  EXPECT_NEAR(error({}, "100"), 0.0, 1e-12) << "12 / 256 of it are below 5 rows";
  EXPECT_NEAR(error({}, "110"), 5.0 / 225, 1e-12) << "5 rows do not name a word";
  EXPECT_NEAR(error({}, "1000"), 25.0 / 225, 1e-12) << "nor do 20";
}

TEST(AdaBoost, RefusesScoresToStartFrom) {
  for (const char* name : {"boost.adaboost", "boost.adaboost_r2"}) {
    auto request = request_of(table_of({1, 2}, {0, 1}, {"a", "b"}));
    request.base_margin = {"x"};
    EXPECT_EQ(code_of([&] { fit(name, {}, request); }), 1021) << name;
  }
}

TEST(AdaBoost, StopsEarlyAndKeepsTheBestRound) {
  for (const char* target : {"two", "three"}) {
    const Target kind = target == std::string("two") ? Target::two_classes : Target::three_classes;
    auto request = request_of(learnable({.rows = 400}, kind, 4));
    request.valid_fraction = 0.3;
    request.metrics = {"log_loss"};
    const auto whole = fit("boost.adaboost", {{"n_estimators", "60"}}, request);
    const auto values = history(*whole, "valid.log_loss");
    const auto least = std::min_element(values.begin(), values.end()) - values.begin() + 1;
    ASSERT_LT(least + 8, 60) << target;
    const auto model =
        fit("boost.adaboost", {{"n_estimators", "60"}, {"early_stopping_rounds", "8"}}, request);
    EXPECT_LE(model->card().rounds, least);
    const auto kept = history(*model, "valid.log_loss");
    EXPECT_EQ(kept.size(), static_cast<std::size_t>(model->card().rounds) + 8);
    EXPECT_EQ(alphas(*model).size(), static_cast<std::size_t>(model->card().rounds));
    const auto loaded = data::load_model_bytes(model->bytes(), "model");
    EXPECT_EQ(loaded->predict(request.table, {}).values, model->predict(request.table, {}).values);
  }
}

// Before there were algorithms and early stopping, files said neither.
TEST(AdaBoost, OlderFilesAreRead) {
  const auto table = learnable({.rows = 100}, Target::two_classes, 5);
  const auto model = fit("boost.adaboost", {{"n_estimators", "3"}}, request_of(table));
  Parts parts(model->bytes());
  auto card = parts.card();
  EXPECT_EQ(card["settings"].erase("algorithm"), 1U);
  EXPECT_EQ(card["settings"].erase("early_stopping_rounds"), 1U);
  card["settings"]["learner"]["tree_method"] = "exact";
  parts.description = card.dump();
  const auto loaded = data::load_model_bytes(parts.bytes(), "model");
  EXPECT_EQ(loaded->predict(table, {}).values, model->predict(table, {}).values);
}

// Large tables are searched by bins, small ones value by value.
TEST(AdaBoost, StumpsAreExactOnFewRows) {
  for (const std::int64_t rows : {std::int64_t{9000}, std::int64_t{11000}}) {
    const auto request = request_of(learnable({.rows = rows}, Target::two_classes, 6));
    const auto by = [&](const char* method) {
      const auto model =
          fit("boost.adaboost", {{"n_estimators", "3"}, {"tree_method", method}}, request);
      return margins(*model, request.table);
    };
    EXPECT_EQ(by("adaptive") == by("exact"), rows < 10000);
    EXPECT_EQ(by("adaptive") == by("histogram"), rows > 10000);
  }
}

TEST(AdaBoost, NeedsTwoClasses) {
  EXPECT_EQ(code_of([] {
              fit("boost.adaboost", {}, request_of(table_of({1, 2}, {0, 0}, {"a"})));
            }),
            2022);
}

}  // namespace
}  // namespace gradatim::boost
