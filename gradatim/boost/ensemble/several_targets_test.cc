// One model of several columns of numbers.
#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

/// Features x0, x1 and targets a (which depends on x0), b (on x1), and
/// p, q with p + q = 1.
data::Table table_of(std::int64_t rows) {
  Random r(17);
  std::vector<double> x0, x1, a, b, p, q;
  for (std::int64_t i = 0; i < rows; ++i) {
    x0.push_back(r.uniform());
    x1.push_back(r.uniform());
    a.push_back((x0.back() > 0.5 ? 3.0 : -1.0) + 0.1 * r.normal());
    b.push_back((x1.back() > 0.3 ? 70.0 : 20.0) + r.normal());
    p.push_back(x0.back() > 0.5 ? 0.75 : 0.25);
    q.push_back(1.0 - p.back());
  }
  return data::Table({data::numeric_column("x0", x0), data::numeric_column("x1", x1),
                      data::numeric_column("a", a), data::numeric_column("b", b),
                      data::numeric_column("p", p), data::numeric_column("q", q)});
}

data::FitRequest request_for(std::vector<std::string> targets, std::int64_t rows = 600) {
  data::FitRequest request;
  request.table = table_of(rows);
  for (const char* name : {"a", "b", "p", "q"}) {
    if (std::ranges::find(targets, name) == targets.end()) {
      request.table = request.table.without(name);
    }
  }
  request.targets = std::move(targets);
  request.seed = 42;
  return request;
}

const Options kFew = {{"n_estimators", "30"}};

Options with_loss(const std::string& loss) { return {{"loss", loss}, {"n_estimators", "30"}}; }

TEST(SeveralTargets, AreEachPredictedAsAlone) {
  for (const char* model : {"boost.newton", "boost.gradient"}) {
    for (const char* loss : {"squared", "absolute"}) {
      const auto both = request_for({"b", "a"});
      const auto together = fit(model, with_loss(loss), both)->predict(both.table, {});
      ASSERT_EQ(together.columns, 2);
      for (int k = 0; k < 2; ++k) {
        auto one = request_for({both.targets[k]});
        one.target = one.targets.front();
        one.targets.clear();
        const auto alone = fit(model, with_loss(loss), one)->predict(one.table, {});
        for (std::size_t row = 0; row < alone.values.size(); ++row) {
          EXPECT_NEAR(together.values[2 * row + k], alone.values[row], 1e-6) << model << loss << k;
        }
      }
    }
  }
}

// All scores lie on one grid; the larger target must not make it too coarse for the smaller.
TEST(SeveralTargets, OfVeryDifferentSizesAreBothLearned) {
  auto request = request_for({"a", "b"});
  std::vector<data::Column> columns(request.table.columns().begin(), request.table.columns().end());
  auto b = numbers(columns[3]);
  for (double& x : b) x *= 1e9;
  columns[3] = data::numeric_column("b", b);
  request.table = data::Table(columns);
  const auto made = fit("boost.newton", kFew, request)->predict(request.table, {});
  const auto a = numbers(request.table.column("a"));
  double error = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) error += std::abs(made.values[2 * i] - a[i]) / 600;
  EXPECT_LT(error, 0.09) << "the noise of a is 0.08";
}

TEST(SeveralTargets, AreNamedInCardFileAndTable) {
  const auto request = request_for({"b", "a"});
  const auto fitted = fit("boost.newton", kFew, request);
  const auto again = data::load_model_bytes(fitted->bytes(), "the test");
  EXPECT_EQ(again->card().targets, request.targets);
  EXPECT_EQ(again->bytes(), fitted->bytes());
  const auto made = data::prediction_table(again->card(), again->predict(request.table, {}));
  EXPECT_EQ(made.columns()[0].name(), "prediction_b");
  EXPECT_EQ(made.columns()[1].name(), "prediction_a");
}

TEST(SeveralTargets, MetricsAreAveragedOverThem) {
  const auto request = request_for({"a", "b"});
  const auto fitted = fit("boost.newton", kFew, request);
  const auto made = fitted->predict(request.table, {});
  double expected = 0.0;
  for (int k = 0; k < 2; ++k) {
    const auto y = numbers(request.table.column(request.targets[k]));
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += std::abs(static_cast<float>(y[i]) - made.values[2 * i + k]);
    }
    expected += sum / static_cast<double>(y.size()) / 2;
  }
  EXPECT_NEAR(fitted->evaluate(request.table, {"mae"}, "").front().second, expected, 1e-12);
}

TEST(SeveralTargets, GiveTheSameBytesOnAnyNumberOfThreads) {
  const auto request = request_for({"a", "b"}, 5000);
  std::string one;
  for (const int threads : {1, 2, 4}) {
    const ThreadScope scope(threads);
    const auto bytes =
        fit("boost.newton", {{"n_estimators", "5"}, {"subsample", "0.7"}}, request)->bytes();
    if (threads == 1) one = bytes;
    EXPECT_EQ(bytes, one) << threads;
  }
}

TEST(SeveralTargets, OfZeroAndOneAreSeveralLabelsARow) {
  auto request = request_for({"p", "q"});
  const auto fitted = fit("boost.newton", with_loss("cross_entropy"), request);
  const auto made = fitted->predict(request.table, {});
  const auto p = numbers(request.table.column("p"));
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(made.values[2 * i], p[i], 0.02);
  EXPECT_GT(fitted->evaluate(request.table, {"auc"}, "").front().second, 0.99)
      << "metrics of two classes suit chances";
}

TEST(SeveralTargets, OfChancesAreSoftLabelsOfOneSoftmax) {
  auto request = request_for({"p", "q"});
  request.valid = request.table;
  const auto fitted = fit("boost.newton", with_loss("softmax"), request);
  const auto made = fitted->predict(request.table, {});
  const auto p = numbers(request.table.column("p"));
  double entropy = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(made.values[2 * i], p[i], 0.02);
    EXPECT_NEAR(made.values[2 * i] + made.values[2 * i + 1], 1.0, 1e-14);
    entropy -= p[i] * std::log(p[i]) + (1.0 - p[i]) * std::log(1.0 - p[i]);
  }
  EXPECT_EQ(fitted->card().history.front().name, "valid.log_loss");
  EXPECT_NEAR(fitted->card().history.front().values.back(), entropy / 600, 1e-3);
}

TEST(SeveralTargets, MayShareATreeARound) {
  auto options = kFew;
  options.emplace_back("multi_strategy", "multi_output_tree");
  const auto request = request_for({"p", "q"});
  const auto fitted = fit("boost.newton", options, request);
  const auto made = fitted->predict(request.table, {});
  const auto p = numbers(request.table.column("p"));
  for (std::size_t i = 0; i < p.size(); ++i) {
    EXPECT_NEAR(made.values[2 * i], p[i], 0.02);
    EXPECT_NEAR(made.values[2 * i + 1], 1.0 - p[i], 0.02);
  }
  EXPECT_LT(fitted->bytes().size(), fit("boost.newton", kFew, request)->bytes().size());
}

TEST(SeveralTargets, AMissingCellOfAnyOfThemIsNamed) {
  auto request = request_for({"a", "b"});
  std::vector<data::Column> columns(request.table.columns().begin(), request.table.columns().end());
  auto b = numbers(columns[3]);
  b[7] = kNaN;
  columns[3] = data::numeric_column("b", b);
  request.table = data::Table(columns);
  try {
    fit("boost.newton", kFew, request);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const DataError& error) {
    EXPECT_EQ(error.code(), 2021);
    EXPECT_EQ(error.message(), "column 'b', row 8: the target is missing; remove the row");
  }
}

TEST(SeveralTargets, WhatCannotLearnThemSaysSo) {
  const auto code = [&](const char* model, const Options& options, data::FitRequest request) {
    return code_of([&] { fit(model, options, request); });
  };
  EXPECT_EQ(code("boost.adaboost", {}, request_for({"a", "b"})), 1027);
  EXPECT_EQ(code("boost.adaboost_r2", {}, request_for({"a", "b"})), 1027);
  EXPECT_EQ(code("boost.newton", {}, request_for({"a", "a"})), 1027);
  auto classes = request_for({"a", "b"});
  classes.task = data::TaskHint::classification;
  EXPECT_EQ(code("boost.newton", {}, classes), 1027);
  EXPECT_EQ(code("boost.newton", with_loss("logistic"), request_for({"p", "q"})), 2020);
  EXPECT_EQ(code("boost.newton", with_loss("quantile"), request_for({"p", "q"})), 2020);
  EXPECT_EQ(code("boost.newton", with_loss("softmax"), request_for({"a", "b"})), 2033);
}

TEST(SeveralTargets, AFileThatNamesOthersThanItPredictsIsRefused) {
  const auto fitted = fit("boost.newton", kFew, request_for({"a", "b"}));
  std::string bytes = fitted->bytes();
  const std::string names = "\\\"predictions\\\":[\\\"a\\\",\\\"b\\\"]";
  const auto at = bytes.find(names);
  ASSERT_NE(at, std::string::npos);
  const std::string fewer = "\\\"predictions\\\":[\\\"a,  b\\\"]";
  ASSERT_LE(fewer.size(), names.size());
  bytes.replace(at, names.size(), fewer + std::string(names.size() - fewer.size(), ' '));
  EXPECT_EQ(code_of([&] { data::load_model_bytes(bytes, "the test"); }), 3010);
}

}  // namespace
}  // namespace gradatim::boost
