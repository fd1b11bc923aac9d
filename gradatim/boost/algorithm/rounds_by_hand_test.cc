// Three rounds of each score algorithm with stumps, followed by the formulas of the papers.
//
//   x        0    1    2    3
//   +, -    4,1  1,3  3,2  1,5     9 of +, 11 of -
// Round 1, D uniform: the worth of a split is the sum over sides of (W+ - W-)^2 / W:
//   below 1: 9/5 + 25/15 = 3.467;  below 2: 1/9 + 9/11 = 0.929;  below 3: 4/14 + 16/6 = 2.952
// so x < 1 is split off, (4,1) against (5,10).
//   real, samme_r   1/2 ln(4/1) = ln 2,      1/2 ln(5/10) = -1/2 ln 2
//   gentle          (4 - 1)/5 = 3/5,         (5 - 10)/15 = -1/3
//   logitboost      p = 1/2, w = 1/4, z = +-2: f = 6/5, -2/3, of which half is added
// Round 2 of real, D in units of sqrt(2): x = 0 has (1.414, 1.414), and x = 1, 2, 3 have
// (1, 1.5), (3, 1), (1, 2.5). Below 1 nothing is left to learn; below 2: 0.047 + 0.033; below 3:
// 0.241 + 0.643, so x < 3 is split off: 1/2 ln(5.41421/3.91421) = 0.162207, 1/2 ln(1/2.5) =
// -0.458145.
#include <gtest/gtest.h>

#include <functional>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

constexpr int kPlus[] = {4, 1, 3, 1};
constexpr int kMinus[] = {1, 3, 2, 5};

data::Table counted_rows() {
  std::vector<double> x;
  std::vector<std::int32_t> y;
  for (int value = 0; value < 4; ++value) {
    for (int i = 0; i < kPlus[value] + kMinus[value]; ++i) {
      x.push_back(value);
      y.push_back(i < kPlus[value] ? 1 : 0);
    }
  }
  return data::Table({data::numeric_column("x", std::move(x)),
                      data::categorical_column("y", std::move(y), {"minus", "plus"})});
}

/// Scores of x = 0 to 3 after each round.
std::vector<std::vector<double>> fitted(const char* algorithm, double rate, Options options = {}) {
  options.insert(options.end(), {{"algorithm", algorithm},
                                 {"n_estimators", "3"},
                                 {"learning_rate", fmt::format("{}", rate)}});
  const auto model = fit("boost.adaboost", options, request_of(counted_rows()));
  std::vector<std::vector<double>> stages;
  const data::Table four({data::numeric_column("x", {0, 1, 2, 3})});
  model->predict_staged(
      four, {.kind = data::PredictKind::margin},
      [&](std::int64_t, const data::Predictions& p) { stages.push_back(p.values); });
  return stages;
}

/// One row of a least-squares problem: what the stump should say, and its weight.
struct Target {
  double value, weight;
};
using ToLeaf = std::function<double(double mean)>;
using ToTarget = std::function<Target(double sign, double score)>;

/// The same by brute force: the stump of least squares on (value, weight), leaves from their means.
std::vector<std::vector<double>> by_formula(const ToTarget& target, const ToLeaf& leaf,
                                            double rate) {
  std::vector<double> score(4);
  std::vector<std::vector<double>> stages;
  for (int round = 0; round < 3; ++round) {
    double sum[4] = {}, weight[4] = {};
    for (int v = 0; v < 4; ++v) {
      for (const double sign : {1.0, -1.0}) {
        const auto [z, w] = target(sign, score[v]);
        const double count = sign > 0 ? kPlus[v] : kMinus[v];
        sum[v] += count * w * z;
        weight[v] += count * w;
      }
    }
    double best = -1.0;
    std::vector<double> step(4);
    for (int cut = 1; cut < 4; ++cut) {
      double s[2] = {}, w[2] = {};
      for (int v = 0; v < 4; ++v) {
        s[v >= cut] += sum[v];
        w[v >= cut] += weight[v];
      }
      const double worth = s[0] * s[0] / w[0] + s[1] * s[1] / w[1];
      if (worth <= best) continue;
      best = worth;
      for (int v = 0; v < 4; ++v) step[v] = leaf(s[v >= cut] / w[v >= cut]);
    }
    for (int v = 0; v < 4; ++v) score[v] += rate * step[v];
    stages.push_back(score);
  }
  return stages;
}

void expect_equal(const std::vector<std::vector<double>>& ours,
                  const std::vector<std::vector<double>>& theirs, const std::string& what) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t m = 0; m < ours.size(); ++m) {
    for (int v = 0; v < 4; ++v) EXPECT_NEAR(ours[m][v], theirs[m][v], 1e-6) << what << " " << m;
  }
}

Target exponential(double sign, double score) { return {sign, std::exp(-sign * score)}; }

TEST(RoundsByHand, TheFirstRounds) {
  const double ln2 = std::log(2.0);
  for (const char* algorithm : {"real", "samme_r"}) {
    const auto f = fitted(algorithm, 1.0);
    EXPECT_NEAR(f[0][0], ln2, 1e-7);
    for (int v = 1; v < 4; ++v) EXPECT_NEAR(f[0][v], -0.5 * ln2, 1e-7);
    EXPECT_NEAR(f[1][0], ln2 + 0.162207, 1e-6);
    EXPECT_NEAR(f[1][2], -0.5 * ln2 + 0.162207, 1e-6);
    EXPECT_NEAR(f[1][3], -0.5 * ln2 - 0.458145, 1e-6);
  }
  for (const char* algorithm : {"gentle", "logitboost"}) {
    const auto f = fitted(algorithm, 1.0);
    EXPECT_NEAR(f[0][0], 3.0 / 5, 1e-7) << algorithm;
    for (int v = 1; v < 4; ++v) EXPECT_NEAR(f[0][v], -1.0 / 3, 1e-7) << algorithm;
  }
}

TEST(RoundsByHand, ThreeRoundsOfEach) {
  const auto half_log_odds = [](double mean) { return 0.5 * std::log((1 + mean) / (1 - mean)); };
  const auto same = [](double mean) { return mean; };
  const auto half = [](double mean) { return 0.5 * mean; };
  for (const double rate : {1.0, 0.4}) {
    expect_equal(fitted("real", rate), by_formula(exponential, half_log_odds, rate), "real");
    expect_equal(fitted("samme_r", rate), by_formula(exponential, half_log_odds, rate), "samme_r");
    expect_equal(fitted("gentle", rate), by_formula(exponential, same, rate), "gentle");
    for (const double z_max : {4.0, 1.5}) {  // both are reached: x = 0 has 1/p = 4.3 in round 2
      const auto response = [&](double sign, double score) {
        const double right = 1 / (1 + std::exp(-2 * sign * score));
        return Target{sign * std::min(1 / right, z_max), right * (1 - right)};
      };
      expect_equal(fitted("logitboost", rate, {{"algorithm.z_max", fmt::format("{}", z_max)}}),
                   by_formula(response, half, rate), fmt::format("logitboost {}", z_max));
    }
  }
}

// Real AdaBoost's loss after a round is the sum over leaves of 2 sqrt(W+ W-) of the loss before:
// (4,1) and (5,10) of 20 rows.
TEST(RoundsByHand, TheLossOfRealAdaBoostIsItsClosedForm) {
  const auto model = fit("boost.adaboost", {{"algorithm", "real"}, {"n_estimators", "1"}},
                         request_of(counted_rows()));
  const auto& history = model->card().history;
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[0].name, "train.error");
  EXPECT_NEAR(history[0].values[0], 6.0 / 20, 1e-12);
  EXPECT_EQ(history[1].name, "train.loss");
  EXPECT_NEAR(history[1].values[0], 2 * (std::sqrt(4.0) + std::sqrt(50.0)) / 20, 1e-7);
}

}  // namespace
}  // namespace gradatim::boost
