#include "gradatim/boost/metric/metric.h"

#include <gtest/gtest.h>

#include "gradatim/api/registry.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;
using Labels = std::vector<float>;
using Numbers = std::vector<double>;

std::shared_ptr<const Metric> metric(const std::string& name) {
  const api::Entry& entry = api::Registry::instance().get(name, Metric::kKind);
  return std::static_pointer_cast<const Metric>(entry.make(entry, {}, {}));
}

/// Of labels, predictions and settings by name.
double value_with(const std::string& name, const Options& options, const Labels& label,
                  const Numbers& prediction, int columns = 1, const Labels& weight = {}) {
  const auto made = api::build_as<Metric>(api::parse_settings("boost.metric." + name, options));
  return (*made)({label, prediction, columns, weight});
}

double value(const std::string& name, const Labels& label, const Numbers& prediction,
             int columns = 1, const Labels& weight = {}) {
  return (*metric(name))({label, prediction, columns, weight});
}

/// Probabilities of the second class as a matrix of two columns.
Numbers two(const Numbers& p) {
  Numbers both;
  for (const double x : p) both.insert(both.end(), {1.0 - x, x});
  return both;
}

TEST(Metrics, OfNumbersMatchTheHand) {
  const Labels y = {1, 2, 4};
  const Numbers f = {2, 2, 1};  // errors 1, 0, -3
  EXPECT_DOUBLE_EQ(value("rmse", y, f), std::sqrt(10.0 / 3));
  EXPECT_DOUBLE_EQ(value("mae", y, f), 4.0 / 3);
  // The mean is 7/3; deviations -4/3, -1/3, 5/3: squares sum to 42/9.
  EXPECT_DOUBLE_EQ(value("r2", y, f), 1.0 - 10.0 / (42.0 / 9));
}

TEST(Metrics, WeightsCount) {
  const Labels y = {1, 2, 4};
  const Numbers f = {2, 2, 1};
  const Labels w = {1, 1, 2};
  EXPECT_DOUBLE_EQ(value("rmse", y, f, 1, w), std::sqrt((1.0 + 18) / 4));
  EXPECT_DOUBLE_EQ(value("mae", y, f, 1, w), 7.0 / 4);
  EXPECT_DOUBLE_EQ(value("r2", y, f, 1, w), 1.0 - 19.0 / (3.0625 + 0.5625 + 2 * 1.5625));
}

TEST(R2, OfAConstantTargetIsOneWhereRightAndElseZero) {
  EXPECT_EQ(value("r2", {2, 2}, {2, 2}), 1.0);
  EXPECT_EQ(value("r2", {2, 2}, {2, 3}), 0.0);
}

TEST(Metrics, OfTwoClassesMatchTheHand) {
  const Labels y = {1, 0, 1, 0};
  const Numbers p = two({0.9, 0.2, 0.4, 0.6});
  EXPECT_DOUBLE_EQ(value("log_loss", y, p, 2),
                   -(std::log(0.9) + std::log(0.8) + std::log(0.4) + std::log(0.4)) / 4);
  EXPECT_EQ(value("accuracy", y, p, 2), 0.5);
  EXPECT_EQ(value("auc", y, p, 2), 0.75) << "of four pairs only (0.4, 0.6) is wrong";
  EXPECT_EQ(value("f1", y, p, 2), 0.5) << "TP 1, FP 1, FN 1";
}

TEST(Metrics, OfThreeClassesMatchTheHand) {
  const Labels y = {0, 1, 2, 2};
  const Numbers p = {0.5, 0.3, 0.2, 0.6, 0.3, 0.1,
                     0.2, 0.2, 0.6, 0.1, 0.8, 0.1};  // says 0, 0, 2, 1
  EXPECT_EQ(value("accuracy", y, p, 3), 0.5);
  EXPECT_DOUBLE_EQ(value("log_loss", y, p, 3),
                   -(std::log(0.5) + std::log(0.3) + std::log(0.6) + std::log(0.1)) / 4);
  EXPECT_DOUBLE_EQ(value("f1", y, p, 3), (2.0 / 3 + 0.0 + 2.0 / 3) / 3);
  EXPECT_EQ(value("f1", {0, 2}, {1, 0, 0, 0, 0, 1}, 3), 1.0) << "a class that nobody names";
}

TEST(Accuracy, TakesTheLowestOfEquallyLikelyClasses) {
  EXPECT_EQ(value("accuracy", {0, 1}, {0.5, 0.5, 0.5, 0.5}, 2), 0.5);
}

TEST(Auc, CountsATieAsHalf) {
  EXPECT_EQ(value("auc", {0, 1}, {0.5, 0.5}), 0.5);
  // Pairs (negative, positive): (1, 2) right, (1, 2) right, (2, 2) and (2, 2) tied: 3 of 4.
  EXPECT_EQ(value("auc", {0, 0, 1, 1}, {1, 2, 2, 2}), 0.75);
  EXPECT_EQ(value("auc", {0, 1, 0, 1}, {7, 7, 7, 7}), 0.5);
  EXPECT_EQ(value("auc", {0, 1}, {-5, 5}), 1.0);
  EXPECT_EQ(value("auc", {1, 0}, {-5, 5}), 0.0);
}

TEST(LogLoss, OfASureAndWrongAnswerIsFinite) {
  EXPECT_NEAR(value("log_loss", {1}, {1, 0}, 2), 708.4, 0.1);
  EXPECT_EQ(value("log_loss", {0}, {1, 0}, 2), 0.0);
}

TEST(Metrics, AnIntegerWeightIsARowRepeated) {
  Random r(1);
  for (const api::Entry* entry : api::Registry::instance().list(Metric::kKind)) {
    SCOPED_TRACE(std::string(entry->text.name));
    const bool numbers = entry->text.tags.find("regression") != std::string_view::npos;
    Labels y, w, repeated_y;
    Numbers p, repeated_p;
    for (int i = 0; i < 60; ++i) {
      y.push_back(numbers ? static_cast<float>(0.1 + r.uniform()) : static_cast<float>(i % 2));
      w.push_back(static_cast<float>(r.below(4)));
      const double x = static_cast<double>(r.below(20)) / 20.0 + 0.01;
      const Numbers row = numbers ? Numbers{x} : Numbers{1.0 - x, x};
      p.insert(p.end(), row.begin(), row.end());
      for (int k = 0; k < static_cast<int>(w.back()); ++k) {
        repeated_y.push_back(y.back());
        repeated_p.insert(repeated_p.end(), row.begin(), row.end());
      }
    }
    const std::string name(entry->text.name);
    const int columns = numbers ? 1 : 2;
    EXPECT_NEAR(value(name, y, p, columns, w), value(name, repeated_y, repeated_p, columns), 1e-14);
  }
}

TEST(Metrics, OfAmountsMatchTheHand) {
  const Labels y = {1, 3};
  const Numbers f = {2, 1};
  EXPECT_DOUBLE_EQ(value("poisson_deviance", y, f),
                   (std::log(0.5) + 1.0) + (3.0 * std::log(3.0) - 2.0));
  EXPECT_DOUBLE_EQ(value("gamma_deviance", y, f), (std::log(2.0) - 0.5) + (2.0 - std::log(3.0)));
  // power 1.5: 2 (-4 sqrt(y) + 2 y / sqrt(f) + 2 sqrt(f)), averaged over two rows.
  EXPECT_NEAR(value("tweedie_deviance", y, f),
              (-4.0 + std::sqrt(2.0) + 2.0 * std::sqrt(2.0)) + (-4.0 * std::sqrt(3.0) + 6.0 + 2.0),
              1e-14);
  EXPECT_DOUBLE_EQ(value("mape", y, f), (1.0 + 2.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(value("poisson_deviance", {0}, {3}), 6.0);
}

TEST(Metrics, TakeTheirSettings) {
  const Labels y = {1, 1};
  const Numbers f = {0, 3};  // residuals 1 and -2
  EXPECT_DOUBLE_EQ(value("quantile", y, f), (0.5 + 1.0) / 2);
  EXPECT_DOUBLE_EQ(value_with("quantile", {{"level", "0.9"}}, y, f), (0.9 + 0.2) / 2);
  EXPECT_DOUBLE_EQ(value_with("quantile", {{"levels", "0.1,0.9"}}, y, {0, 3, 0, 3}, 2),
                   (0.1 + 0.2) / 2);
  EXPECT_EQ(code_of([&] { value_with("quantile", {{"levels", "0.1,0.9"}}, y, f); }), 4010);
  EXPECT_DOUBLE_EQ(value_with("pseudo_huber", {{"delta", "2"}}, y, f),
                   4.0 * ((std::sqrt(1.25) - 1.0) + (std::sqrt(2.0) - 1.0)) / 2);
  EXPECT_NE(value_with("tweedie_deviance", {{"power", "1.1"}}, y, {2, 3}),
            value("tweedie_deviance", y, {2, 3}));
}

TEST(Brier, IsTheSquaredErrorOfTheProbabilities) {
  EXPECT_DOUBLE_EQ(value("brier", {1, 0}, two({0.9, 0.4}), 2), (0.01 + 0.16) / 2);
  EXPECT_DOUBLE_EQ(value("brier", {2}, {0.2, 0.3, 0.5}, 3), 0.04 + 0.09 + 0.25);
}

TEST(AveragePrecision, WeighsPrecisionByTheStepsOfRecall) {
  // From the top: hit (1/1), miss, hit (2/3), miss: (1 + 2/3) / 2.
  EXPECT_DOUBLE_EQ(value("average_precision", {1, 0, 1, 0}, {4, 3, 2, 1}), (1.0 + 2.0 / 3) / 2);
  EXPECT_EQ(value("average_precision", {1, 0, 1, 0}, {7, 7, 7, 7}), 0.5) << "one threshold";
}

TEST(Metrics, AreAveragedOverTargets) {
  const Labels y = {1, 2, 10, 20};   // two targets of two rows
  const Numbers f = {1, 14, 4, 20};  // [rows, targets]: errors 0, 2 and 4, 0
  EXPECT_DOUBLE_EQ((*metric("mae"))({y, f, 2, {}, 2}), (1.0 + 2.0) / 2);
  EXPECT_DOUBLE_EQ((*metric("rmse"))({y, f, 2, {}, 2}), (std::sqrt(2.0) + std::sqrt(8.0)) / 2);
}

TEST(Metrics, WhatIsNotDefinedIsAnError) {
  EXPECT_EQ(code_of([] { value("poisson_deviance", {-1}, {1}); }), 4010);
  EXPECT_EQ(code_of([] { value("tweedie_deviance", {1}, {0}); }), 4010);
  EXPECT_EQ(code_of([] { value("gamma_deviance", {0}, {1}); }), 4010);
  EXPECT_EQ(code_of([] { value("average_precision", {1, 1}, {1, 2}); }), 4010);
  EXPECT_EQ(code_of([] { value("rmse", {}, {}); }), 4010);
  EXPECT_EQ(code_of([] { value("mae", {1}, {1}, 1, {0}); }), 4010);
  EXPECT_EQ(code_of([] { value("log_loss", {1}, two({0.5}), 2, {0}); }), 4010);
  EXPECT_EQ(code_of([] { value("auc", {1, 1}, {0.1, 0.2}); }), 4010);
  EXPECT_EQ(code_of([] { value("auc", {0, 1}, {0.1, 0.2}, 1, {0, 1}); }), 4010);
  EXPECT_EQ(code_of([] { value("auc", {0, 1}, {0.2, 0.3, 0.5, 0.2, 0.3, 0.5}, 3); }), 4010);
}

TEST(Metrics, AClassWithoutAColumnOrAScoreThatIsNoneIsAnError) {
  for (const char* name : {"log_loss", "f1"}) {
    EXPECT_EQ(code_of([&] { value(name, {0, 2}, two({0.5, 0.5}), 2); }), 4010) << name;
    EXPECT_EQ(code_of([&] { value(name, {-1, 1}, two({0.5, 0.5}), 2); }), 4010) << name;
    EXPECT_EQ(code_of([&] { value(name, {0, std::nanf("")}, two({0.5, 0.5}), 2); }), 4010) << name;
  }
  EXPECT_EQ(code_of([] { value("auc", {0, 1, 1}, {0.1, kNaN, 0.4}); }), 4010);
}

TEST(Metrics, KnowWhetherMoreIsBetter) {
  for (const char* name : {"auc", "accuracy", "average_precision", "f1", "r2"})
    EXPECT_TRUE(metric(name)->maximise());
  for (const char* name : {"rmse", "mae", "log_loss"}) EXPECT_FALSE(metric(name)->maximise());
  EXPECT_EQ(metric("log_loss")->short_name(), "log_loss");
}

}  // namespace
}  // namespace gradatim::boost
