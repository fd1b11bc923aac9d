// Trees whose leaves hold a value for each output.
#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/grower.h"
#include "gradatim/boost/tree/vector_criterion.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
using namespace testing;
namespace {

struct Problem {
  BinnedData data;
  std::vector<std::vector<float>> g, h;  // [outputs][rows]
  std::vector<std::uint32_t> rows;
  std::vector<std::int32_t> features;
};

Problem make_problem(std::int64_t rows, int outputs, std::uint64_t seed) {
  Random random(seed);
  auto columns = random_features({.rows = rows, .numeric = 5, .missing = 0.1}, random);
  columns.push_back(random_categories("c", {.rows = rows, .missing = 0.1}, random));
  columns.push_back(random_numbers("few", {.rows = rows, .distinct = 3}, random));
  Problem p{BinnedData(data::Table(columns), {}, {}), {}, {}, {}, {}};
  for (int k = 0; k < outputs; ++k) {
    std::vector<float> g(rows);
    std::vector<float> h(rows);
    for (std::int64_t i = 0; i < rows; ++i) {
      const double signal = p.data.column(k % 5).at(i) > 100 ? 1.0 : -1.0;
      g[i] = static_cast<float>(signal + random.normal());
      h[i] = static_cast<float>(0.1 + random.uniform());
    }
    p.g.push_back(std::move(g));
    p.h.push_back(std::move(h));
  }
  p.rows.resize(rows);
  std::iota(p.rows.begin(), p.rows.end(), 0U);
  p.features.resize(p.data.features().size());
  std::iota(p.features.begin(), p.features.end(), 0);
  return p;
}

VectorStatistics statistics_of(const Problem& p) {
  VectorStatistics all;
  for (std::size_t k = 0; k < p.g.size(); ++k) {
    Statistics one;
    quantise(p.g[k], p.h[k], {}, {.seed = 3, .draw = static_cast<std::uint32_t>(k)}, one);
    if (k == 0) {
      all.resize(static_cast<std::int64_t>(p.rows.size()), static_cast<int>(p.g.size()), one.wide);
    }
    all.set(static_cast<int>(k), one);
  }
  return all;
}

template <bool kPacked>
Tree grow(const Problem& p, const VectorStatistics& statistics, const NewtonRule& rule) {
  GrowBuffers buffers;
  const VectorNewton<kPacked> criterion(statistics, rule);
  const VectorFine fine(statistics, rule);
  const GrowOptions options{.max_depth = 4};
  TreeGrower<VectorNewton<kPacked>, VectorFine> grower(p.data, criterion, fine, options, p.features,
                                                       buffers);
  return grower.grow(p.rows);
}

void expect_equal(const Tree& a, const Tree& b) {
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  for (std::size_t n = 0; n < a.nodes.size(); ++n) {
    EXPECT_EQ(a.nodes[n].feature, b.nodes[n].feature);
    EXPECT_EQ(a.nodes[n].threshold, b.nodes[n].threshold);
    EXPECT_EQ(a.nodes[n].missing_left, b.nodes[n].missing_left);
  }
}

TEST(VectorTree, OutputsThatAreEqualGiveTheTreeOfOneOutput) {
  Problem p = make_problem(3000, 1, 7);
  const NewtonRule rule{.min_child_weight = 5.0};
  Statistics one;
  quantise(p.g[0], p.h[0], {}, {}, one);
  const WideNewton fine(one, rule);
  GrowBuffers buffers;
  const GrowOptions options{.max_depth = 4};
  TreeGrower<WideNewton, WideNewton> grower(p.data, fine, fine, options, p.features, buffers);
  const Tree expected = grower.grow(p.rows);
  // Four, so that a sum of equal scores is exact.
  for (int k = 1; k < 4; ++k) {
    p.g.push_back(p.g[0]);
    p.h.push_back(p.h[0]);
  }
  const Tree tree = grow<false>(p, statistics_of(p), rule);
  expect_equal(tree, expected);
  EXPECT_EQ(tree.outputs, 4);
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    if (!tree.nodes[n].leaf()) continue;
    for (int k = 0; k < 4; ++k) {
      EXPECT_EQ(tree.value(static_cast<std::int32_t>(n), k), expected.nodes[n].value);
    }
  }
}

TEST(VectorTree, LeavesAreEachOutputsNewtonStepOverTheirRows) {
  for (const int outputs : {2, 3, 7, 19}) {
    const Problem p = make_problem(2500, outputs, 8 + outputs);
    const VectorStatistics statistics = statistics_of(p);
    const NewtonRule rule{.reg_lambda = 2.0};
    const Tree tree = grow<false>(p, statistics, rule);
    ASSERT_GT(tree.nodes.size(), 3U);
    std::vector<double> g(tree.nodes.size() * outputs);
    std::vector<double> h(g.size());
    for (const std::uint32_t row : p.rows) {
      std::int32_t n = 0;
      while (!tree.nodes[n].leaf()) {
        const Node& node = tree.nodes[n];
        const std::int32_t bin = p.data.column(node.feature).at(row);
        const bool missing = bin == p.data.features()[node.feature].missing_bin();
        const bool left = missing ? node.missing_left
                          : node.categorical
                              ? (tree.category_words[node.first_word + bin / 32] >> bin % 32 & 1U)
                              : bin <= node.split_bin;
        n = node.left + (left ? 0 : 1);
      }
      for (int k = 0; k < outputs; ++k) {
        g[n * outputs + k] += p.g[k][row];
        h[n * outputs + k] += p.h[k][row];
      }
    }
    for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
      if (!tree.nodes[n].leaf()) continue;
      for (int k = 0; k < outputs; ++k) {
        const std::size_t at = n * outputs + k;
        EXPECT_NEAR(tree.value(static_cast<std::int32_t>(n), k), -g[at] / (h[at] + 2.0), 1e-6);
      }
    }
  }
}

TEST(VectorTree, PackedLanesRankAsWideOnesWhereRoundingLosesNothing) {
  Problem p = make_problem(70000, 3, 9);
  // Multiples of 2^-6 below 4 fit thirteen bits.
  for (auto* values : {&p.g, &p.h}) {
    for (auto& output : *values) {
      for (float& x : output) x = std::round(std::clamp(x, -3.9F, 3.9F) * 64.0F) / 64.0F;
    }
  }
  VectorStatistics packed = statistics_of(p);
  ASSERT_FALSE(packed.wide);
  const Tree a = grow<true>(p, packed, {});
  const Tree b = grow<false>(p, packed, {});
  expect_equal(a, b);
}

TEST(VectorTree, IsTheSameOnAnyNumberOfThreads) {
  const Problem p = make_problem(70000, 5, 10);
  const VectorStatistics statistics = statistics_of(p);
  std::vector<Tree> trees;
  for (const int threads : {1, 2, 4}) {
    const ThreadScope scope(threads);
    trees.push_back(grow<true>(p, statistics, {}));
  }
  for (const Tree& tree : trees) {
    expect_equal(tree, trees[0]);
    EXPECT_EQ(tree.vectors, trees[0].vectors);
  }
}

}  // namespace
}  // namespace gradatim::boost
