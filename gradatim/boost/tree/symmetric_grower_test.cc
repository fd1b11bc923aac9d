// Symmetric trees against a plain search over every (feature, bin, side of missing cells).
#include "gradatim/boost/tree/symmetric_grower.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct Problem {
  data::Table table;
  std::vector<float> g, h;
  std::vector<std::uint32_t> rows;
  NewtonRule rule{.reg_lambda = 1.0, .min_child_weight = 3.0};
  GrowOptions grow{.max_depth = 3, .grow_policy = GrowPolicy::symmetric};
  std::vector<std::int32_t> features;
};

Problem random_problem(std::uint64_t seed, std::int64_t rows, int categorical = 0) {
  Random r(seed);
  Problem p;
  p.table = data::Table(random_features(
      {.rows = rows, .numeric = 3, .categorical = categorical, .missing = 0.15}, r));
  const auto signal = hidden_signal({p.table.columns().begin(), p.table.columns().end()});
  for (std::int64_t i = 0; i < rows; ++i) {
    p.g.push_back(static_cast<float>(signal[i] + 0.3 * r.normal()));
    p.h.push_back(static_cast<float>(0.1 + r.uniform()));
    p.rows.push_back(static_cast<std::uint32_t>(i));
  }
  for (std::int32_t f = 0; f < 3 + categorical; ++f) p.features.push_back(f);
  return p;
}

Statistics statistics_of(const Problem& p, bool wide = true) {
  Statistics s;
  quantise(p.g, p.h, {}, {.seed = 1, .force_wide = wide}, s);
  return s;
}

template <class Criterion = WideNewton>
Tree grown(const Problem& p, const BinnedData& data, const Statistics& s) {
  const WideNewton fine(s, p.rule);
  const Criterion criterion(s, p.rule);
  GrowBuffers buffers;
  return SymmetricGrower<Criterion, WideNewton>(data, criterion, fine, p.grow, p.features, buffers)
      .grow(p.rows);
}

/// A level's split and its gain.
struct Level {
  std::int32_t feature = -1;
  std::int32_t bin = 0;
  bool missing_left = false;
  double gain = 0.0;
  double positive = 0.0;  // the gains of nodes that gain
};

/// Levels by trying everything on groups of rows.
std::vector<Level> reference(const Problem& p, const BinnedData& data) {
  struct Group {
    std::vector<std::uint32_t> rows;
    double value = 0.0;
  };
  const auto sums = [&](const std::vector<std::uint32_t>& rows) {
    std::pair<double, double> sum;
    for (const auto row : rows) {
      sum.first += double{p.g[row]};
      sum.second += double{p.h[row]};
    }
    return sum;
  };
  const auto at_value = [&](const Group& group) {
    const auto [g, h] = sums(group.rows);
    return p.rule.score_at(g, h, group.value);
  };
  const auto split = [&](const Group& group, const Level& level) {
    std::pair<Group, Group> sides;
    const auto& bins = data.features()[level.feature];
    for (const auto row : group.rows) {
      const auto bin = data.column(level.feature).at(row);
      const bool left = bin == bins.missing_bin() ? level.missing_left : bin <= level.bin;
      (left ? sides.first : sides.second).rows.push_back(row);
    }
    bool effective = true;
    for (Group* side : {&sides.first, &sides.second}) {
      const auto [g, h] = sums(side->rows);
      effective = effective && !side->rows.empty() && p.rule.admissible(h);
      side->value = p.rule.weight(g, h);
    }
    if (!effective) sides.first.value = sides.second.value = group.value;
    return sides;
  };
  const auto [g, h] = sums(p.rows);
  std::vector<Group> groups = {{p.rows, p.rule.weight(g, h)}};
  std::vector<Level> levels;
  for (int depth = 0; depth < p.grow.max_depth; ++depth) {
    Level best;
    for (const auto f : p.features) {
      for (std::int32_t i = 0; i < data.features()[f].bins; ++i) {
        const std::int32_t bin = i + 1 < data.features()[f].bins ? i : -1;  // missing alone last
        for (const bool missing_left : {false, true}) {
          Level level{f, bin, missing_left, 0.0};
          for (const auto& group : groups) {
            const auto [left, right] = split(group, level);
            if (left.value == group.value && right.value == group.value) continue;
            const double gain = at_value(left) + at_value(right) - at_value(group);
            level.gain += gain;
            level.positive += std::max(0.0, gain);
          }
          if (level.gain > best.gain + 1e-9) best = level;
        }
      }
    }
    if (best.feature < 0) break;
    levels.push_back(best);
    std::vector<Group> next;
    for (const auto& group : groups) {
      auto [left, right] = split(group, best);
      next.push_back(std::move(left));
      next.push_back(std::move(right));
    }
    groups = std::move(next);
  }
  return levels;
}

/// The nodes of each level; every one is split, or none.
std::vector<std::vector<Node>> levels_of(const Tree& tree) {
  std::vector<int> depth(tree.nodes.size());
  std::vector<std::vector<Node>> levels(1, {tree.nodes[0]});
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    if (tree.nodes[n].leaf()) continue;
    for (int side = 0; side < 2; ++side) {
      const std::int32_t at = tree.nodes[n].left + side;
      depth[at] = depth[n] + 1;
      if (static_cast<int>(levels.size()) <= depth[at]) levels.emplace_back();
      levels[depth[at]].push_back(tree.nodes[at]);
    }
  }
  return levels;
}

TEST(SymmetricGrower, SplitsEachLevelWhereThePlainSearchDoes) {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    const Problem p = random_problem(seed, 150);
    const BinnedData data(p.table, {}, {.max_bin = 12});
    const Tree tree = grown(p, data, statistics_of(p));
    const auto levels = reference(p, data);
    const auto nodes = levels_of(tree);
    ASSERT_EQ(nodes.size(), levels.size() + 1);
    for (std::size_t d = 0; d < levels.size(); ++d) {
      double gain = 0.0;
      for (const Node& node : nodes[d]) {
        EXPECT_EQ(node.feature, levels[d].feature);
        EXPECT_EQ(node.split_bin, levels[d].bin);
        EXPECT_EQ(node.missing_left, levels[d].missing_left);
        gain += double{node.gain};
      }
      EXPECT_NEAR(gain, levels[d].positive, 1e-5 * (1.0 + levels[d].positive));
    }
    found += levels.size();
  }
  EXPECT_GT(found, 24U);
}

TEST(SymmetricGrower, EveryNodeOfALevelIsSplitAlike) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Problem p = random_problem(seed, 400, 2);
    p.grow.max_depth = 6;
    p.grow.categories = {.smooth = 3.0, .extra_l2 = 2.0};
    const BinnedData data(p.table, {}, {.max_bin = 24});
    const Tree tree = grown(p, data, statistics_of(p));
    const auto levels = levels_of(tree);
    EXPECT_GT(levels.size(), 2U);
    for (std::size_t d = 0; d < levels.size(); ++d) {
      EXPECT_EQ(levels[d].size(), std::size_t{1} << d);
      for (const Node& node : levels[d]) {
        EXPECT_EQ(node.feature, levels[d][0].feature);
        EXPECT_EQ(node.threshold, levels[d][0].threshold);
        EXPECT_EQ(node.missing_left, levels[d][0].missing_left);
      }
    }
  }
}

TEST(SymmetricGrower, ALeafWithoutRowsKeepsTheValueOfItsLastAncestorWithRows) {
  Problem p = random_problem(3, 60);
  p.grow.max_depth = 8;
  p.rule.min_child_weight = 0.1;
  const BinnedData data(p.table, {}, {.max_bin = 24});
  const Tree tree = grown(p, data, statistics_of(p));
  // An empty child: the node was not split in effect, and both keep its value.
  std::int64_t empty = 0;
  for (const Node& node : tree.nodes) {
    if (node.leaf()) continue;
    const Node& left = tree.nodes[node.left];
    const Node& right = tree.nodes[node.left + 1];
    if (left.count > 0 && right.count > 0) continue;
    ++empty;
    EXPECT_EQ(node.gain, 0.0F);
    if (left.leaf()) {
      EXPECT_EQ(left.value, right.value);
    }
  }
  EXPECT_GT(empty, 0);
}

TEST(SymmetricGrower, PackedHistogramsGiveTheSameTreeWhereRoundingIsExact) {
  Problem p = random_problem(2, 70000);
  for (auto* values : {&p.g, &p.h}) {
    for (float& x : *values) x = std::round(x * 64.0F) / 64.0F;
  }
  p.grow.max_depth = 5;
  const BinnedData data(p.table, {}, {.max_bin = 60});
  const Statistics s = statistics_of(p, false);
  ASSERT_FALSE(s.wide);
  const Tree packed = grown<PackedNewton>(p, data, s);
  const Tree wide = grown(p, data, s);
  ASSERT_EQ(packed.nodes.size(), wide.nodes.size());
  for (std::size_t n = 0; n < packed.nodes.size(); ++n) {
    EXPECT_EQ(packed.nodes[n].value, wide.nodes[n].value);
    EXPECT_EQ(packed.nodes[n].threshold, wide.nodes[n].threshold);
  }
  EXPECT_EQ(packed.nodes.size(), 63U);
}

}  // namespace
}  // namespace gradatim::boost
