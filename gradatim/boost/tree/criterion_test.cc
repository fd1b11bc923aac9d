#include "gradatim/boost/tree/criterion.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {
namespace {

using namespace testing;

// What a leaf of weight w costs: g w + alpha |w| + (h + lambda) w^2 / 2.
double objective(const NewtonRule& rule, double g, double h, double w) {
  return g * w + rule.reg_alpha * std::abs(w) + 0.5 * (h + rule.reg_lambda) * w * w;
}

TEST(NewtonRule, TheLeafIsTheBestWeightAndTheScoreTwiceItsGain) {
  Random r(1);
  for (int trial = 0; trial < 2000; ++trial) {
    const NewtonRule rule{.reg_lambda = r.uniform() * 3.0,
                          .reg_alpha = trial % 2 == 0 ? 0.0 : r.uniform() * 2.0,
                          .max_delta_step = trial % 3 == 0 ? 0.5 * r.uniform() + 0.01 : 0.0};
    const double g = 4.0 * r.normal();
    const double h = 0.1 + 5.0 * r.uniform();
    const double w = rule.weight(g, h);
    const double least = objective(rule, g, h, w);
    EXPECT_NEAR(rule.score(g, h), -2.0 * least, 1e-12 * (1.0 + std::abs(least)));
    for (const double step : {-1.0, -1e-2, -1e-4, 1e-4, 1e-2, 1.0}) {
      const double other = w + step;
      if (rule.max_delta_step > 0.0 && std::abs(other) > rule.max_delta_step) continue;
      EXPECT_GE(objective(rule, g, h, other) + 1e-12, least);
    }
    if (rule.max_delta_step > 0.0) {
      EXPECT_LE(std::abs(w), rule.max_delta_step);
    }
  }
}

TEST(NewtonRule, AChildNeedsItsHessianAndACurvature) {
  const NewtonRule rule{.reg_lambda = 0.0, .min_child_weight = 2.0};
  EXPECT_TRUE(rule.admissible(2.0));
  EXPECT_FALSE(rule.admissible(1.99));
  const NewtonRule bare{.reg_lambda = 0.0, .min_child_weight = 0.0};
  EXPECT_FALSE(bare.admissible(0.0));
  EXPECT_EQ(bare.weight(1.0, 0.0), 0.0);
}

TEST(PackedNewton, ANegativeGradientDoesNotReachTheHessian) {
  Statistics s;
  s.rows = {{{}, {-5, 3}}, {{}, {2, 4}}};
  const PackedNewton criterion(s, {});
  auto sum = criterion.make();
  for (const std::uint32_t row : {0U, 1U}) PackedNewton::add_row(sum, criterion.read(row));
  EXPECT_EQ(criterion.g(sum), -3.0);
  EXPECT_EQ(criterion.h(sum), 7.0);
}

TEST(ClassWeights, ScoresMatchTheHand) {
  const std::vector<std::int32_t> label = {0, 1, 1, 2};
  const std::vector<std::int32_t> weight = {2, 3, 1, 4};
  for (const auto& [impurity, expected] :
       {std::pair(Impurity::gini, (4.0 + 16 + 16) / 10), std::pair(Impurity::error, 4.0)}) {
    const ClassWeights criterion(label.data(), weight.data(), 3, 0.5, impurity, 0.0);
    auto sum = criterion.make();
    for (std::uint32_t row = 0; row < 4; ++row) ClassWeights::add_row(sum, criterion.read(row));
    EXPECT_EQ(criterion.score(sum), 0.5 * expected);
    EXPECT_EQ(criterion.cover(sum), 5.0);
    EXPECT_EQ(criterion.order(sum.data(), 10.0), 0.2) << "the share of class 0, not smoothed";
    EXPECT_EQ(criterion.leaf(sum), 1.0) << "the lowest of the heaviest classes";
  }
}

/// Cells of one feature: bins of (g, h), the last one missing.
Candidate scan(const std::vector<std::pair<std::int64_t, std::int64_t>>& cells) {
  Statistics s;
  const WideNewton criterion(s, {.reg_lambda = 1.0, .min_child_weight = 1.0});
  std::vector<std::int64_t> lanes;
  for (const auto& [g, h] : cells) lanes.insert(lanes.end(), {g, h});
  return scan_numeric(criterion, lanes.data(), static_cast<std::int32_t>(cells.size()) - 1, 3);
}

TEST(ScanNumeric, OfEqualSplitsTheLowestBinWinsAndMissingGoesRight) {
  const Candidate mirrored = scan({{2, 1}, {-2, 1}, {2, 1}, {-2, 1}, {0, 0}});
  EXPECT_EQ(mirrored.bin, 0);
  const Candidate empty_between = scan({{3, 2}, {0, 0}, {-3, 2}, {0, 0}});
  EXPECT_EQ(empty_between.bin, 0) << "the first of the cuts between the values";
  // The missing cell halves its weight on either side: worth the same left and right.
  const Candidate symmetric = scan({{3, 2}, {-3, 2}, {0, 1}});
  EXPECT_FALSE(symmetric.missing_left);
  EXPECT_EQ(symmetric.feature, 3);
}

TEST(ScanNumeric, TriesMissingAgainstPresent) {
  const Candidate best = scan({{3, 2}, {3, 2}, {-9, 3}});
  EXPECT_EQ(best.bin, -1) << "no present cell goes left";
  EXPECT_TRUE(best.missing_left);
  EXPECT_FALSE(scan({{3, 2}, {0, 0}, {0, 0}}).found()) << "nothing to separate";
}

}  // namespace
}  // namespace gradatim::boost
