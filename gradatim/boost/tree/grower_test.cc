#include "gradatim/boost/tree/grower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/reference_grower.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

/// A partition of the rows, and the value of each part; in order of the first rows.
using Leaves = std::vector<std::pair<std::vector<std::uint32_t>, double>>;

struct Problem {
  data::Table table;
  std::vector<float> g, h, weight;
  std::vector<std::uint32_t> rows;
  std::vector<std::int32_t> features;
  NewtonRule rule;
  GrowOptions grow;
  BinOptions bins{.max_bin = 24};
};

Problem random_problem(std::uint64_t seed, std::int64_t rows, bool weights) {
  Random r(seed);
  Problem p;
  const TableShape shape{.rows = rows,
                         .numeric = 3,
                         .categorical = 2,
                         .missing = 0.15,
                         .distinct = seed % 2 == 0 ? 12 : 0};
  p.table = data::Table(random_features(shape, r));
  const auto signal = hidden_signal({p.table.columns().begin(), p.table.columns().end()});
  for (std::int64_t i = 0; i < rows; ++i) {
    p.g.push_back(static_cast<float>(signal[i] + 0.3 * r.normal()));
    p.h.push_back(static_cast<float>(0.1 + r.uniform()));
    if (weights) p.weight.push_back(static_cast<float>(0.5 + 2.0 * r.uniform()));
    if (seed % 3 != 0 || r.uniform() < 0.7) p.rows.push_back(static_cast<std::uint32_t>(i));
  }
  p.features = {0, 1, 2, 3, 4};
  p.rule = {.reg_lambda = 1.0, .min_child_weight = 1.0};
  p.grow = {.max_depth = 3};
  p.grow.categories = {
      .smooth = 3.0, .extra_l2 = 2.0, .min_mass = 20.0, .max_left = 32, .max_one_hot = 4};
  return p;
}

Statistics statistics_of(const Problem& p, bool force_wide = true) {
  Statistics s;
  quantise(p.g, p.h, p.weight, {.seed = 1, .force_wide = force_wide}, s);
  return s;
}

template <class Criterion>
std::pair<Tree, Leaves> grow_with(const Problem& p, const BinnedData& data, const Statistics& s) {
  const WideNewton fine(s, p.rule);
  const Criterion criterion(s, p.rule);
  GrowBuffers buffers;
  TreeGrower<Criterion, WideNewton> grower(data, criterion, fine, p.grow, p.features, buffers);
  Tree tree = grower.grow(p.rows);
  Leaves leaves;
  for (const auto& leaf : buffers.leaves) {
    std::vector<std::uint32_t> rows(leaf.rows.begin(), leaf.rows.end());
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end()));
    leaves.emplace_back(std::move(rows), double{tree.nodes[leaf.node].value});
  }
  std::sort(leaves.begin(), leaves.end());
  return {std::move(tree), std::move(leaves)};
}

Leaves grown(const Problem& p) {
  const BinnedData data(p.table, p.weight, p.bins);
  return grow_with<WideNewton>(p, data, statistics_of(p)).second;
}

Leaves reference(const Problem& p) {
  const BinnedData data(p.table, p.weight, p.bins);
  ReferenceInput input{
      .data = &data, .rows = p.rows, .features = p.features, .rule = p.rule, .grow = p.grow};
  for (std::size_t i = 0; i < p.g.size(); ++i) {
    const double w = p.weight.empty() ? 1.0 : double{p.weight[i]};
    input.g.push_back(w * double{p.g[i]});
    input.h.push_back(w * double{p.h[i]});
  }
  Leaves leaves;
  for (auto& leaf : ReferenceGrower(input).grow()) {
    std::sort(leaf.rows.begin(), leaf.rows.end());
    leaves.emplace_back(std::move(leaf.rows), leaf.value);
  }
  std::sort(leaves.begin(), leaves.end());
  return leaves;
}

void expect_same(const Leaves& a, const Leaves& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].first, b[i].first);
    EXPECT_NEAR(a[i].second, b[i].second, 1e-6 * (1.0 + std::abs(b[i].second)));
  }
}

/// Holds the grower against the reference on many random problems, after `change`.
template <class Change>
void expect_reference(Change change) {
  std::size_t leaves = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Problem p = random_problem(seed, 90, seed % 4 < 2);
    change(p);
    const auto found = grown(p);
    expect_same(found, reference(p));
    leaves += found.size();
  }
  EXPECT_GT(leaves, 20U) << "the problems are too easy to tell anything";
}

TEST(TreeGrower, EqualsThePlainGrowerDepthwise) {
  expect_reference([](Problem&) {});
}

TEST(TreeGrower, EqualsThePlainGrowerLossguide) {
  expect_reference([](Problem& p) {
    p.grow.grow_policy = GrowPolicy::lossguide;
    p.grow.max_depth = 0;
    p.grow.max_leaves = 7;
  });
}

TEST(TreeGrower, EqualsThePlainGrowerWithFewerLeavesThanALevel) {
  expect_reference([](Problem& p) { p.grow.max_leaves = 3; });
}

TEST(TreeGrower, EqualsThePlainGrowerWithoutALimitOfDepth) {
  expect_reference([](Problem& p) { p.grow.max_depth = 0; });
}

TEST(TreeGrower, EqualsThePlainGrowerUnderEveryRegularisation) {
  expect_reference([](Problem& p) { p.rule.min_child_weight = 12.0; });
  expect_reference([](Problem& p) { p.rule.min_child_weight = 0.0; });
  expect_reference([](Problem& p) { p.grow.min_split_gain = 4.0; });
  expect_reference([](Problem& p) { p.rule.reg_lambda = 20.0; });
  expect_reference([](Problem& p) { p.rule.reg_lambda = 0.0; });
  expect_reference([](Problem& p) { p.rule.reg_alpha = 4.0; });
  expect_reference([](Problem& p) { p.rule.max_delta_step = 0.3; });
  expect_reference([](Problem& p) {
    p.rule = {.reg_lambda = 0.5, .reg_alpha = 2.0, .max_delta_step = 0.5, .min_child_weight = 4.0};
  });
}

TEST(TreeGrower, EqualsThePlainGrowerOnSomeFeatures) {
  expect_reference([](Problem& p) { p.features = {1, 4}; });
  expect_reference([](Problem& p) { p.features = {0, 3}; });
}

TEST(TreeGrower, EqualsThePlainGrowerOverOneHotCategories) {
  expect_reference([](Problem& p) { p.grow.categories.max_one_hot = 6; });
  expect_reference([](Problem& p) { p.grow.categories = {.max_left = 1, .max_one_hot = 0}; });
}

TEST(TreeGrower, ExactEqualsHistogramWhereEveryValueHasItsBin) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Problem p = random_problem(seed, 150, seed % 2 == 0);
    p.bins.max_bin = 400;
    for (const GrowPolicy policy : {GrowPolicy::depthwise, GrowPolicy::lossguide}) {
      p.grow.grow_policy = policy;
      p.grow.max_leaves = policy == GrowPolicy::lossguide ? 6 : 0;
      p.bins.exact = false;
      const Leaves histogram = grown(p);
      p.bins.exact = true;
      EXPECT_EQ(histogram, grown(p));
    }
  }
}

// Gradients that are whole coarse steps lose nothing by rounding, so packed cells rank as wide
// ones.
TEST(TreeGrower, PackedHistogramsGiveTheSameTreeWhereRoundingIsExact) {
  Problem p = random_problem(2, 70000, false);
  for (auto* values : {&p.g, &p.h}) {
    for (float& x : *values) x = std::round(x * 64.0F) / 64.0F;
  }
  p.grow.max_depth = 5;
  const BinnedData data(p.table, p.weight, p.bins);
  const Statistics s = statistics_of(p, false);
  ASSERT_FALSE(s.wide);
  const auto [packed, packed_leaves] = grow_with<PackedNewton>(p, data, s);
  const auto [wide, wide_leaves] = grow_with<WideNewton>(p, data, s);
  EXPECT_EQ(packed_leaves, wide_leaves);
  EXPECT_GT(packed_leaves.size(), 10U);
}

TEST(TreeGrower, LeavesComeFromFineSumsWhateverRankedTheSplits) {
  Problem p = random_problem(4, 70000, true);
  const BinnedData data(p.table, p.weight, p.bins);
  const Statistics s = statistics_of(p, false);
  for (const auto& [rows, value] : grow_with<PackedNewton>(p, data, s).second) {
    double g = 0.0;
    double h = 0.0;
    for (const auto row : rows) {
      g += s.rows[row].fine.g;
      h += s.rows[row].fine.h;
    }
    EXPECT_EQ(value, static_cast<float>(p.rule.weight(g * s.fine_units.g, h * s.fine_units.h)));
  }
}

TEST(TreeGrower, NodesCountTheirRowsAndCoverTheirHessians) {
  const Problem p = random_problem(5, 200, false);
  const BinnedData data(p.table, p.weight, p.bins);
  const auto [tree, leaves] = grow_with<WideNewton>(p, data, statistics_of(p));
  EXPECT_EQ(tree.nodes[0].count, static_cast<std::int64_t>(p.rows.size()));
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    const Node& left = tree.nodes[node.left];
    const Node& right = tree.nodes[node.left + 1];
    EXPECT_EQ(node.count, left.count + right.count);
    EXPECT_NEAR(node.cover, left.cover + right.cover, 1e-9 * node.cover);
    EXPECT_GT(node.gain, 0.0F);
  }
}

TEST(TreeGrower, IsTheSameOnAnyNumberOfThreads) {
  for (const bool exact : {false, true}) {
    Problem p = random_problem(7, 20000, true);
    p.bins.exact = exact;
    p.grow.max_depth = 6;
    const BinnedData data(p.table, p.weight, p.bins);
    auto run = [&](int threads) {
      const ThreadScope scope(threads);
      return grow_with<WideNewton>(p, data, statistics_of(p)).second;
    };
    const Leaves one = run(1);
    EXPECT_EQ(one, run(2));
    EXPECT_EQ(one, run(4));
  }
}

void expect_equal(const Tree& a, const Tree& b) {
  ASSERT_EQ(a.nodes.size(), b.nodes.size());
  EXPECT_EQ(a.category_words, b.category_words);
  for (std::size_t n = 0; n < a.nodes.size(); ++n) {
    const Node& x = a.nodes[n];
    const Node& y = b.nodes[n];
    EXPECT_EQ(std::tie(x.feature, x.left, x.threshold, x.value, x.missing_left, x.first_word,
                       x.words, x.gain, x.cover, x.count, x.split_bin),
              std::tie(y.feature, y.left, y.threshold, y.value, y.missing_left, y.first_word,
                       y.words, y.gain, y.cover, y.count, y.split_bin))
        << n;
  }
}

TEST(TreeGrower, LeavesSplitInAdvanceGiveTheTreeOfOneAtATime) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    for (const int max_leaves : {2, 3, 7, 20, 63, 0}) {
      for (const bool exact : {false, true}) {
        SCOPED_TRACE(fmt::format("seed {}, {} leaves, exact {}", seed, max_leaves, exact));
        Problem p = random_problem(seed, 600, seed % 2 == 0);
        p.bins.exact = exact;
        p.rule.min_child_weight = 2.0;
        p.grow.grow_policy = GrowPolicy::lossguide;
        p.grow.max_depth = seed % 3 == 0 ? 5 : 0;
        p.grow.max_leaves = max_leaves;
        p.grow.colsample_bynode = seed % 4 == 0 ? 0.6 : 1.0;
        const BinnedData data(p.table, p.weight, p.bins);
        const Statistics s = statistics_of(p);
        p.grow.speculation = 1;
        const auto [one, one_leaves] = grow_with<WideNewton>(p, data, s);
        p.grow.speculation = 8;
        const auto [many, many_leaves] = grow_with<WideNewton>(p, data, s);
        expect_equal(one, many);
        EXPECT_EQ(one_leaves, many_leaves);
        EXPECT_GT(one.nodes.size(), 2U);
      }
    }
  }
}

TEST(TreeGrower, ARootThatCannotBeSplitIsALeaf) {
  Problem p = random_problem(1, 50, false);
  p.rule.min_child_weight = 1e9;
  EXPECT_EQ(grown(p).size(), 1U);
  p = random_problem(1, 50, false);
  p.rows = {7};
  EXPECT_EQ(grown(p).size(), 1U);
  p = random_problem(1, 50, false);
  p.g.assign(50, 1.0F);
  p.h.assign(50, 1.0F);
  p.rule.reg_lambda = 0.0;
  EXPECT_EQ(grown(p).size(), 1U) << "equal gradients leave nothing to gain";
}

}  // namespace
}  // namespace gradatim::boost
