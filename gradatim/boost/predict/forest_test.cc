// The law of prediction: a forest says what Tree::find says, to the bit, on every SIMD target
// (CMakeLists.txt runs it on each).
#include "gradatim/boost/predict/forest.h"

#include <gtest/gtest.h>

#include "gradatim/boost/predict/find_leaves.h"
#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct ForestShape {
  std::int32_t features = 6;
  std::int32_t categorical = 2;  // the last so many
  std::int64_t leaves = 40;
  int distinct = 30;     // thresholds of a feature
  bool doubles = false;  // thresholds that no float32 holds
  bool symmetric = false;
  std::int32_t deepest = 64;
  int outputs = 1;  // of each tree
  bool slopes = false;
};

constexpr std::int64_t kCodes = 70;

class RandomTrees {
 public:
  RandomTrees(const ForestShape& shape, std::uint64_t seed) : shape_(shape), r_(seed) {
    for (int i = 0; i < shape.distinct; ++i) {
      const double t = 4.0 * r_.uniform() - 2.0;
      thresholds_.push_back(shape.doubles ? t : double{static_cast<float>(t)});
    }
    for (const double t : {0.0, kInfinity, -kInfinity, -0.0}) thresholds_.push_back(t);
  }

  Tree tree() {
    Tree tree = shape_.symmetric ? symmetric() : grown();
    tree.outputs = shape_.outputs;
    if (shape_.slopes) give_slopes(tree);
    if (shape_.outputs == 1) return tree;
    for (std::size_t i = 0; i < tree.nodes.size() * shape_.outputs; ++i) {
      tree.vectors.push_back(value());
    }
    return tree;
  }

  double cell(std::int32_t feature) {
    const std::int64_t kind = r_.below(10);
    if (kind == 0) return kNaN;
    if (feature >= shape_.features - shape_.categorical) {
      return static_cast<double>(r_.below(kCodes + 40)) - 2.0 + (kind == 1 ? 0.5 : 0.0);
    }
    const double t = thresholds_[r_.below(static_cast<std::int64_t>(thresholds_.size()))];
    const double cells[] = {t,
                            std::nextafter(t, -1e300),
                            std::nextafter(t, 1e300),
                            kInfinity,
                            -0.0,
                            -kInfinity,
                            1e300,
                            -1e300,
                            1e-320};
    return kind < 6 ? cells[r_.below(9)] : 5.0 * r_.uniform() - 2.5;
  }

 private:
  Node question(Tree& tree) {
    Node node;
    node.feature = static_cast<std::int32_t>(r_.below(shape_.features));
    node.missing_left = r_.below(2) == 0;
    node.categorical = node.feature >= shape_.features - shape_.categorical;
    node.threshold = thresholds_[r_.below(static_cast<std::int64_t>(thresholds_.size()))];
    if (node.categorical) {
      node.first_word = static_cast<std::int32_t>(tree.category_words.size());
      node.words = static_cast<std::int32_t>(r_.below(4));
      for (int w = 0; w < node.words; ++w) {
        tree.category_words.push_back(static_cast<std::uint32_t>(r_.uniform() * 0x1p32));
      }
    }
    return node;
  }
  void give_slopes(Tree& tree) {
    tree.slopes.step = 0x1p-20;
    for (const Node& node : tree.nodes) {
      tree.slopes.first.push_back(static_cast<std::int32_t>(tree.slopes.all.size()));
      tree.slopes.intercept.push_back(r_.normal());
      const std::int64_t count = node.leaf() ? r_.below(3) : 0;
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t feature = r_.below(shape_.features - shape_.categorical);
        tree.slopes.all.push_back({static_cast<std::int32_t>(feature), r_.normal()});
      }
    }
    tree.slopes.first.push_back(static_cast<std::int32_t>(tree.slopes.all.size()));
  }
  float value() { return static_cast<float>(r_.below(1 << 20) - (1 << 19)) * 0x1p-20F; }

  Tree grown() {
    Tree tree;
    tree.nodes.push_back({.value = value()});
    std::vector<std::pair<std::size_t, int>> open = {{0, 0}};
    for (std::int64_t leaves = 1; leaves < shape_.leaves && !open.empty(); ++leaves) {
      // Mostly the last leaf, so that trees are deep on one side.
      const auto last = static_cast<std::int64_t>(open.size());
      const std::int64_t pick = r_.below(3) == 0 ? r_.below(last) : last - 1;
      const auto [n, depth] = open[pick];
      open.erase(open.begin() + pick);
      Node node = question(tree);
      node.left = static_cast<std::int32_t>(tree.nodes.size());
      tree.nodes[n] = node;
      for (int side = 0; side < 2; ++side) {
        if (depth + 1 < shape_.deepest) open.emplace_back(tree.nodes.size(), depth + 1);
        tree.nodes.push_back({.value = value()});
      }
    }
    return tree;
  }

  Tree symmetric() {
    Tree tree;
    tree.nodes.push_back({});
    std::size_t begin = 0;
    for (std::int32_t level = 0; level < shape_.deepest; ++level) {
      const Node asked = question(tree);
      const std::size_t end = tree.nodes.size();
      for (std::size_t n = begin; n < end; ++n) {
        tree.nodes[n] = asked;
        tree.nodes[n].left = static_cast<std::int32_t>(tree.nodes.size());
        tree.nodes.resize(tree.nodes.size() + 2);
      }
      begin = end;
    }
    for (std::size_t n = begin; n < tree.nodes.size(); ++n) tree.nodes[n].value = value();
    return tree;
  }

  ForestShape shape_;
  Random r_;
  std::vector<double> thresholds_;
};

void expect_find(const ForestShape& shape, std::uint64_t seed, int count, int columns, int rows) {
  RandomTrees random(shape, seed);
  std::vector<Tree> trees;
  for (int t = 0; t < count; ++t) trees.push_back(random.tree());
  std::vector<const Tree*> pointers;
  for (const Tree& tree : trees) pointers.push_back(&tree);
  const Forest forest(pointers);
  Strip strip(shape.features);
  strip.rows = rows;
  for (std::int32_t f = 0; f < shape.features; ++f) {
    for (double& cell : strip.column(f)) cell = random.cell(f);
  }
  std::vector<double> sum(forest.sums(columns));
  Forest::Scratch scratch;
  // In two pieces, as staged prediction does it.
  forest.add(strip, 0, count / 2 / columns * columns, columns, sum.data(), scratch);
  forest.add(strip, count / 2 / columns * columns, count, columns, sum.data(), scratch);
  for (int i = 0; i < rows; ++i) {
    std::vector<double> row;
    for (std::int32_t f = 0; f < shape.features; ++f) row.push_back(strip.column(f)[i]);
    std::vector<double> expected(columns);
    std::vector<double> alone(columns);
    const auto column = [&](std::int64_t t, int j) {
      return shape.outputs == 1 ? t % columns : std::int64_t{j};
    };
    for (int t = 0; t < count; ++t) {
      const auto leaf = static_cast<std::int32_t>(&trees[t].find(row.data()) - &trees[t].nodes[0]);
      for (int j = 0; j < shape.outputs; ++j) {
        expected[column(t, j)] +=
            shape.slopes ? trees[t].linear_value(leaf, [&](std::int32_t f) { return row[f]; })
                         : double{trees[t].value(leaf, j)};
      }
    }
    forest.each_of_row(row.data(), 0, count, [&](std::int64_t t, const auto* values) {
      for (int j = 0; j < shape.outputs; ++j) alone[column(t, j)] += double{values[j]};
    });
    for (int k = 0; k < columns; ++k) {
      ASSERT_EQ(sum[forest.at(i, k)], expected[k]) << "row " << i << ", column " << k;
      ASSERT_EQ(alone[k], expected[k]) << "row " << i << " alone";
    }
  }
}

TEST(Forest, SaysWhatEveryTreeSays) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    for (const std::int64_t leaves : {1, 2, 3, 9, 31, 64, 120, 256, 257, 700}) {
      SCOPED_TRACE(fmt::format("seed {}, {} leaves", seed, leaves));
      const ForestShape shape{
          .leaves = leaves, .distinct = seed % 3 == 0 ? 600 : 40, .doubles = seed % 2 == 0};
      expect_find(shape, seed, 12, seed % 4 == 0 ? 3 : 1, seed % 5 == 0 ? 77 : kStrip);
    }
  }
}

TEST(Forest, SaysWhatBalancedTreesSay) {
  for (std::int32_t depth = 1; depth <= 10; ++depth) {
    SCOPED_TRACE(depth);
    for (const int categorical : {0, 2}) {
      expect_find(
          {.categorical = categorical, .leaves = std::int64_t{1} << depth, .deepest = depth},
          static_cast<std::uint64_t>(depth), 9, 1, kStrip);
    }
  }
}

TEST(Forest, SaysWhatSymmetricTreesSay) {
  for (std::int32_t depth = 1; depth <= 9; ++depth) {
    SCOPED_TRACE(depth);
    for (const int categorical : {0, 2}) {
      expect_find({.categorical = categorical, .symmetric = true, .deepest = depth},
                  static_cast<std::uint64_t>(depth), 9, 1, kStrip);
    }
  }
}

TEST(Forest, SaysWhatTreesOfSeveralOutputsSay) {
  for (const int outputs : {2, 3, 4, 7, 10, 16, 21, 70}) {
    for (const std::int64_t leaves : {1, 2, 30, 64, 256, 300}) {
      SCOPED_TRACE(fmt::format("{} outputs, {} leaves", outputs, leaves));
      expect_find({.leaves = leaves, .outputs = outputs}, 3, 9, outputs, kStrip);
      expect_find({.leaves = leaves, .outputs = outputs}, 4, 9, outputs, 100);
    }
    SCOPED_TRACE(outputs);
    expect_find({.leaves = 32, .deepest = 5, .outputs = outputs}, 5, 9, outputs, kStrip);
    expect_find({.symmetric = true, .deepest = 6, .outputs = outputs}, 6, 9, outputs, kStrip);
  }
}

TEST(Forest, SaysWhatLinearLeavesSay) {
  for (const std::int64_t leaves : {1, 2, 30, 256, 300}) {
    SCOPED_TRACE(leaves);
    expect_find({.leaves = leaves, .slopes = true}, 7, 8, 2, kStrip);
    expect_find({.leaves = leaves, .slopes = true}, 8, 8, 1, 7);
  }
  expect_find({.leaves = 32, .deepest = 5, .slopes = true}, 9, 8, 1, kStrip);
  expect_find({.symmetric = true, .deepest = 6, .slopes = true}, 10, 8, 1, kStrip);
}

TEST(Forest, WalksAFewRows) {
  expect_find({}, 5, 30, 1, 7);
  expect_find({.outputs = 5}, 6, 30, 5, 7);
}

TEST(TreeCode, KnowsTheShapeOfATree) {
  auto shape_of = [](const ForestShape& shape) {
    RandomTrees random(shape, 1);
    return encode(random.tree(), [](const Node&) { return Condition{}; }).shape;
  };
  EXPECT_EQ(shape_of({.symmetric = true, .deepest = 6}), TreeCode::Shape::symmetric);
  EXPECT_EQ(shape_of({.leaves = 64, .deepest = 6}), TreeCode::Shape::complete);
  EXPECT_EQ(shape_of({.leaves = 64, .deepest = 40}), TreeCode::Shape::chain);
}

// A file may hold a node that is the child of two: it is no tree, and must not be unfolded.
TEST(Forest, WalksWhatIsNoTree) {
  Tree tree;
  constexpr int kLevels = 120;
  for (int level = 0; level < kLevels; ++level) {
    tree.nodes.push_back({.feature = 0, .left = 2 * level + 2, .threshold = level * 0.01});
    tree.nodes.push_back({.feature = 0, .left = 2 * level + 2, .threshold = level * 0.02});
  }
  tree.nodes.push_back({.value = 1.0F});
  tree.nodes.push_back({.value = 2.0F});
  EXPECT_FALSE(encodes(tree));
  const Tree* const pointer = &tree;
  const Forest forest({&pointer, 1});
  Strip strip(1);
  strip.rows = kStrip;
  for (int i = 0; i < kStrip; ++i) strip.cells[i] = 0.01 * i;
  std::vector<double> sum(kStrip);
  Forest::Scratch scratch;
  forest.add(strip, 0, 1, 1, sum.data(), scratch);
  for (int i = 0; i < kStrip; ++i) {
    EXPECT_EQ(sum[i], double{tree.find(&strip.cells[i]).value}) << i;
  }
}

}  // namespace
}  // namespace gradatim::boost
