#include "gradatim/boost/tree/linear_leaves.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(SolveSemidefinite, SolvesByHand) {
  EXPECT_EQ(solve_semidefinite({4, 2, 2, 3}, std::vector<double>{8, 7}),
            (std::vector<double>{1.25, 1.5}));
  // l = [1; 2, 1; 0, 3, 1], d = 1, 2, 4, w = 1, 1, 1.
  EXPECT_EQ(solve_semidefinite({1, 2, 0, 2, 6, 6, 0, 6, 22}, std::vector<double>{3, 14, 28}),
            (std::vector<double>{1, 1, 1}));
}

TEST(SolveSemidefinite, GivesNothingToWhatDependsOnRowsBefore) {
  EXPECT_EQ(solve_semidefinite({1, 2, 2, 4}, std::vector<double>{3, 6}),
            (std::vector<double>{3, 0}));
  EXPECT_EQ(solve_semidefinite({0, 0, 0, 2}, std::vector<double>{0, 4}),
            (std::vector<double>{0, 2}));
  EXPECT_EQ(solve_semidefinite({1, 1, 2, 1, 1, 2, 2, 2, 8}, std::vector<double>{3, 3, 10}),
            (std::vector<double>{1, 0, 1}));
  EXPECT_EQ(solve_semidefinite({1, 1, 1, 1 + 0x1p-40}, std::vector<double>{3, 4}),
            (std::vector<double>{3, 0}))
      << "but for rounding";
}

// Rows of two features, a tree that splits on both: x0 < 5 is leaf 1; else x1 < 5 is leaf 3, or 4.
struct Problem {
  std::vector<double> x0, x1, y, h;
  std::vector<std::uint32_t> rows;

  void add(double a, double b, double target, double weight = 1.0) {
    rows.push_back(static_cast<std::uint32_t>(x0.size()));
    x0.push_back(a);
    x1.push_back(b);
    y.push_back(target);
    h.push_back(weight);
  }
  data::Table table() const {
    return data::Table({data::numeric_column("x0", x0), data::numeric_column("x1", x1)});
  }
};

Tree two_splits() {
  Tree tree;
  tree.nodes.resize(5);
  tree.nodes[0] = {.feature = 0, .left = 1, .threshold = 5.0};
  tree.nodes[1].value = -77.0F;
  tree.nodes[2] = {.feature = 1, .left = 3, .threshold = 5.0};
  tree.nodes[3].value = -88.0F;
  tree.nodes[4].value = -99.0F;
  return tree;
}

/// The tree with the slopes of one leaf that holds all rows of the problem.
Tree fitted(const Problem& p, std::int32_t leaf, double linear_lambda = 0.0,
            const NewtonRule& rule = {.reg_lambda = 0.0}) {
  std::vector<float> g;
  std::vector<float> h;
  for (std::size_t i = 0; i < p.y.size(); ++i) {
    g.push_back(static_cast<float>(-p.y[i] * p.h[i]));
    h.push_back(static_cast<float>(p.h[i]));
  }
  Statistics statistics;
  quantise(g, h, {}, {.force_wide = true}, statistics);
  const data::Table table = p.table();
  const BinnedData data(table, {}, {});
  LinearLeaves leaves(data.features(), table, linear_lambda);
  Tree tree = two_splits();
  const LeafRows all[] = {{leaf, p.rows}};
  leaves.fit(tree, all, statistics, rule);
  return tree;
}

double value_at(const Tree& tree, double a, double b) {
  const double row[] = {a, b};
  return tree.linear_value(static_cast<std::int32_t>(&tree.find(row) - tree.nodes.data()),
                           [&](std::int32_t f) { return row[f]; });
}

TEST(LinearLeaves, AreTheLineThroughTheirSteps) {
  Problem p;
  for (const double x : {1.0, 2.0, 3.0}) p.add(x, 9.0, 1.0 + 3.0 * x);
  const Tree tree = fitted(p, 1);
  ASSERT_TRUE(tree.slopes.any());
  EXPECT_NEAR(value_at(tree, 2.5, 0.0), 8.5, 1e-6);
  EXPECT_NEAR(value_at(tree, -4.0, 0.0), -11.0, 1e-6) << "the line goes on";
  EXPECT_EQ(value_at(tree, 6.0, 0.0), -88.0) << "another leaf keeps its constant";
}

// x - mean = -1, 0, 1 and y - mean = -3, 0, 3: w = 6 / (2 + lambda), through (2, 7).
TEST(LinearLeaves, LambdaTurnsTheLineAboutTheMean) {
  Problem p;
  for (const double x : {1.0, 2.0, 3.0}) p.add(x, 9.0, 1.0 + 3.0 * x);
  const Tree tree = fitted(p, 1, 1.0);
  EXPECT_NEAR(value_at(tree, 2.0, 0.0), 7.0, 1e-6);
  EXPECT_NEAR(value_at(tree, 3.0, 0.0), 9.0, 1e-6);
  EXPECT_NEAR(value_at(fitted(p, 1, 1e12), 3.0, 0.0), 7.0, 1e-6);
}

// Weights 1, 2, 1 of y = 0, 3, 4 at x = 1, 2, 3: mean (2, 2.5), w = (2.5 + 1.5) / 2 = 2.
TEST(LinearLeaves, WeighRowsByTheirHessians) {
  Problem p;
  p.add(1, 9, 0, 1);
  p.add(2, 9, 3, 2);
  p.add(3, 9, 4, 1);
  const Tree tree = fitted(p, 1);
  EXPECT_NEAR(value_at(tree, 2.0, 0.0), 2.5, 1e-6);
  EXPECT_NEAR(value_at(tree, 4.0, 0.0), 6.5, 1e-6);
  // With lambda = 4 the mean's value is 10 / (4 + 4) = 1.25; the slope is the same.
  const Tree drawn = fitted(p, 1, 0.0, {.reg_lambda = 4.0});
  EXPECT_NEAR(value_at(drawn, 2.0, 0.0), 1.25, 1e-6);
  EXPECT_NEAR(value_at(drawn, 4.0, 0.0), 5.25, 1e-6);
}

TEST(LinearLeaves, HaveASlopeForEveryFeatureOfTheirPath) {
  Problem p;
  Random r(1);
  for (int i = 0; i < 20; ++i) {
    const double a = 5.0 + r.uniform();
    const double b = 5.0 * r.uniform();
    p.add(a, b, 2.0 * a - 3.0 * b + 0.5);
  }
  const Tree tree = fitted(p, 3);
  EXPECT_EQ(tree.slopes.all.size(), 2U);
  EXPECT_NEAR(value_at(tree, 7.0, 1.0), 11.5, 1e-4);
}

TEST(LinearLeaves, RowsWithAMissingCellTakeTheConstantAndAreNotLearnedFrom) {
  Problem p;
  for (const double b : {1.0, 2.0, 3.0, 4.0}) p.add(6.0 + b * b, b, 10.0 * b);
  p.add(6.0, kNaN, 1000.0);
  p.add(kNaN, 2.0, 1000.0);
  const Tree tree = fitted(p, 3);
  EXPECT_NEAR(value_at(tree, 15.0, 3.0), 30.0, 1e-3);
  Tree left = tree;
  left.nodes[2].missing_left = true;
  EXPECT_EQ(value_at(left, 6.0, kNaN), -88.0);
}

TEST(LinearLeaves, AValueThatIsNotFiniteIsTheConstant) {
  Problem p;
  for (const double x : {1.0, 2.0, 3.0}) p.add(x, 9.0, 1.0 + 3.0 * x);
  EXPECT_EQ(value_at(fitted(p, 1), -kInfinity, 0.0), -77.0);
  EXPECT_EQ(value_at(fitted(p, 1), -1e308, 0.0), -77.0);
}

TEST(LinearLeaves, StayConstantWhereTheyHaveTooFewRows) {
  Problem p;
  p.add(6.0, 1.0, 3.0);
  p.add(7.0, 2.0, 4.0);
  EXPECT_FALSE(fitted(p, 3).slopes.any()) << "two rows, two features";
  p.add(8.0, kNaN, 4.0);
  EXPECT_FALSE(fitted(p, 3).slopes.any()) << "two of three rows are whole";
  p.add(8.0, 4.0, 9.0);
  EXPECT_TRUE(fitted(p, 3).slopes.any());
}

TEST(LinearLeaves, AFeatureThatIsConstantOrACombinationHasNoSlope) {
  Problem constant;
  Problem twice;
  for (const double b : {1.0, 2.0, 3.0, 4.0}) {
    constant.add(6.0, b, 10.0 * b);
    twice.add(5.0 + b, 10.0 + 2.0 * b, 10.0 * b);
  }
  const Tree tree = fitted(constant, 3);
  ASSERT_EQ(tree.slopes.all.size(), 1U);
  EXPECT_EQ(tree.slopes.all[0].feature, 1);
  EXPECT_NEAR(value_at(tree, 9.0, 3.0), 30.0, 1e-5);
  EXPECT_EQ(fitted(twice, 3).slopes.all.size(), 1U);
  Problem nothing;
  for (int i = 0; i < 5; ++i) nothing.add(1.0, 9.0, i);
  EXPECT_FALSE(fitted(nothing, 1).slopes.any());
}

TEST(LinearLeaves, SayWhetherScoresStayBelowALimit) {
  Problem p;
  for (const double x : {1.0, 2.0, 3.0}) p.add(x, 9.0, 1.0 + 3.0 * x);
  const data::Table table = p.table();
  const BinnedData data(table, {}, {});
  Statistics statistics;
  quantise(std::vector<float>{-4, -7, -10}, {}, {}, {.force_wide = true}, statistics);
  LinearLeaves leaves(data.features(), table, 0.0);
  Tree tree = two_splits();
  const LeafRows all[] = {{1, p.rows}};
  leaves.fit(tree, all, statistics, {.reg_lambda = 0.0});
  ASSERT_TRUE(tree.slopes.any());
  std::vector<double> scores(3);
  EXPECT_TRUE(leaves.add(tree, 1, p.rows, 10.5, scores));
  EXPECT_NEAR(scores[2], 10.0, 1e-6);
  EXPECT_FALSE(leaves.add(tree, 1, p.rows, 10.5, scores));
}

}  // namespace
}  // namespace gradatim::boost
