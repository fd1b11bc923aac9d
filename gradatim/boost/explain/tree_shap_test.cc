// The law of explanation: what TreeShap says is what Shapley's formula says, summed over all
// coalitions, on every SIMD target (CMakeLists.txt runs it on each).
#include "gradatim/boost/explain/tree_shap.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

constexpr int kFeatures = 6;  // the last two are categorical
constexpr std::int32_t kPlaces[kFeatures] = {0, 1, 2, 3, 4, 5};
constexpr int kRows = 70;  // two blocks of the kernel, and a part

// Leaves are split at random, also twice on a feature, and also so that no training row goes there.
Tree random_tree(Random& r, int leaves, int outputs) {
  Tree tree;
  tree.outputs = outputs;
  tree.nodes.push_back({.count = 1000});
  for (int made = 1; made < leaves; ++made) {
    std::size_t at = 0;
    do {
      at = static_cast<std::size_t>(r.below(static_cast<int>(tree.nodes.size())));
    } while (!tree.nodes[at].leaf());
    Node& node = tree.nodes[at];
    node.feature = static_cast<std::int32_t>(r.below(kFeatures));
    node.left = static_cast<std::int32_t>(tree.nodes.size());
    node.threshold = 2.0 * r.uniform() - 1.0;
    node.missing_left = r.uniform() < 0.5;
    if (node.feature >= kFeatures - 2) {
      node.categorical = true;
      node.first_word = static_cast<std::int32_t>(tree.category_words.size());
      node.words = 1;
      tree.category_words.push_back(static_cast<std::uint32_t>(r.below(256)));
    }
    const double share = r.uniform() < 0.1 ? 0.0 : r.uniform();
    const auto left = static_cast<std::int64_t>(share * static_cast<double>(node.count));
    const std::int64_t right = node.count - left;
    tree.nodes.push_back({.count = left});
    tree.nodes.push_back({.count = right});
  }
  tree.vectors.resize(outputs == 1 ? 0 : tree.nodes.size() * outputs);
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    for (int k = 0; k < outputs; ++k) {
      tree.set_value(static_cast<std::int32_t>(n), k, static_cast<float>(r.normal()));
    }
  }
  return tree;
}

Strip random_rows(Random& r) {
  Strip strip(kFeatures);
  strip.rows = kRows;
  for (int f = 0; f < kFeatures; ++f) {
    for (double& x : strip.column(f)) {
      x = f >= kFeatures - 2 ? static_cast<double>(r.below(9)) : 2.0 * r.uniform() - 1.0;
      if (r.uniform() < 0.1) x = kNaN;
    }
  }
  return strip;
}

// What the tree says where only the features of a coalition (bits) are known.
double said(const Tree& tree, std::int32_t at, const double* row, unsigned known, int output) {
  const Node& node = tree.nodes[at];
  if (node.leaf()) return double{tree.value(at, output)};
  const auto of = [&](std::int32_t child) { return said(tree, child, row, known, output); };
  if ((known >> node.feature & 1U) != 0) {
    return of(node.left + (tree.goes_left(node, row[node.feature]) ? 0 : 1));
  }
  const double left = node.count == 0 ? 0.5
                                      : static_cast<double>(tree.nodes[node.left].count) /
                                            static_cast<double>(node.count);
  return left * of(node.left) + (1.0 - left) * of(node.left + 1);
}

double factorial(int n) { return n <= 1 ? 1.0 : n * factorial(n - 1); }

double shapley(const Tree& tree, const double* row, int feature, int output) {
  double sum = 0.0;
  for (unsigned known = 0; known < (1U << kFeatures); ++known) {
    if ((known >> feature & 1U) != 0) continue;
    const int size = std::popcount(known);
    const double weight = factorial(size) * factorial(kFeatures - 1 - size) / factorial(kFeatures);
    sum += weight *
           (said(tree, 0, row, known | 1U << feature, output) - said(tree, 0, row, known, output));
  }
  return sum;
}

TEST(ShapOfTree, IsShapleysSumOverCoalitions) {
  Random r(3);
  for (const int leaves : {1, 2, 7, 40}) {
    for (const int outputs : {1, 3}) {
      SCOPED_TRACE(::testing::Message() << leaves << " leaves, " << outputs << " outputs");
      const Tree tree = random_tree(r, leaves, outputs);
      const Strip strip = random_rows(r);
      const TreeShap shap(tree, kPlaces, TreeShap::Of::features);
      for (int k = 0; k < outputs; ++k) {
        std::vector<double> phi(kFeatures * kStrip);
        TreeShap::Scratch scratch;
        shap.add(strip, k, phi.data(), scratch);
        for (int i = 0; i < kRows; ++i) {
          double row[kFeatures];
          for (int f = 0; f < kFeatures; ++f) row[f] = strip.cells[f * kStrip + i];
          double sum = shap.expected(k);
          for (int f = 0; f < kFeatures; ++f) {
            ASSERT_NEAR(phi[f * kStrip + i], shapley(tree, row, f, k), 1e-12) << i << ", " << f;
            sum += phi[f * kStrip + i];
          }
          ASSERT_NEAR(sum, said(tree, 0, row, (1U << kFeatures) - 1, k), 1e-12);
        }
      }
    }
  }
}

// The index of two features together, over all coalitions of the others.
double interaction(const Tree& tree, const double* row, int a, int b) {
  double sum = 0.0;
  const unsigned first = 1U << a, second = 1U << b;
  for (unsigned known = 0; known < (1U << kFeatures); ++known) {
    if ((known & (first | second)) != 0) continue;
    const int size = std::popcount(known);
    const double weight =
        factorial(size) * factorial(kFeatures - 2 - size) / factorial(kFeatures - 1);
    const auto of = [&](unsigned more) { return said(tree, 0, row, known | more, 0); };
    sum += weight * (of(first | second) - of(first) - of(second) + of(0));
  }
  return sum;
}

TEST(ShapOfTree, OfPairsIsTheInteractionIndex) {
  Random r(6);
  for (const int leaves : {1, 2, 7, 40}) {
    SCOPED_TRACE(leaves);
    const Tree tree = random_tree(r, leaves, 1);
    const Strip strip = random_rows(r);
    const TreeShap shap(tree, kPlaces, TreeShap::Of::pairs);
    TreeShap::Scratch scratch;
    for (const int first : {0, 32, 64}) {
      std::vector<double> pairs(kFeatures * kFeatures * TreeShap::kRows);
      shap.add_pairs(strip, first, 0, pairs.data(), scratch);
      for (int i = 0; i < TreeShap::kRows && first + i < kRows; ++i) {
        double row[kFeatures];
        for (int f = 0; f < kFeatures; ++f) row[f] = strip.cells[f * kStrip + first + i];
        for (int a = 0; a < kFeatures; ++a) {
          for (int b = a + 1; b < kFeatures; ++b) {
            const double found = pairs[(a * kFeatures + b) * TreeShap::kRows + i];
            ASSERT_NEAR(found, interaction(tree, row, a, b), 1e-12) << i << ", " << a << ", " << b;
          }
        }
      }
    }
  }
}

TEST(ShapOfTree, AddsToWhatIsThere) {
  Random r(4);
  const Tree tree = random_tree(r, 9, 1);
  const Strip strip = random_rows(r);
  const TreeShap shap(tree, kPlaces, TreeShap::Of::features);
  TreeShap::Scratch scratch;
  std::vector<double> once(kFeatures * kStrip), twice(kFeatures * kStrip, 0.0);
  shap.add(strip, 0, once.data(), scratch);
  for (int time = 0; time < 2; ++time) shap.add(strip, 0, twice.data(), scratch);
  for (std::size_t i = 0; i < once.size(); ++i) ASSERT_NEAR(twice[i], 2.0 * once[i], 1e-14);
}

// A tree of one long path on one feature: a line of depth 300 is a polynomial of degree 0.
TEST(ShapOfTree, OfOneFeatureIsWhatTheTreeSaysLessItsMean) {
  Random r(5);
  Tree tree;
  tree.nodes.push_back({.count = 1000});
  for (int depth = 0; depth < 300; ++depth) {
    Node& node = tree.nodes.back();
    node.feature = 0;
    node.left = static_cast<std::int32_t>(tree.nodes.size());
    node.threshold = -1.0 + depth / 150.0;
    const std::int64_t left = node.count / 20, right = node.count - left;
    tree.nodes.push_back({.value = static_cast<float>(r.normal()), .count = left});
    tree.nodes.push_back({.value = static_cast<float>(r.normal()), .count = right});
  }
  const Strip strip = random_rows(r);
  const TreeShap shap(tree, kPlaces, TreeShap::Of::features);
  EXPECT_EQ(shap.points(), 1);
  TreeShap::Scratch scratch;
  std::vector<double> phi(kFeatures * kStrip);
  shap.add(strip, 0, phi.data(), scratch);
  for (int i = 0; i < kRows; ++i) {
    const double x = strip.cells[i];
    EXPECT_NEAR(phi[i], double{tree.find(&x).value} - shap.expected(0), 1e-10);
  }
}

// A chain of nodes deeper than any stack.
TEST(ShapOfTree, TooDeepIsRefusedBeforeItIsWalked) {
  Tree tree;
  tree.nodes.push_back({.count = 1});
  for (int depth = 0; depth < 200000; ++depth) {
    Node& node = tree.nodes.back();
    node.feature = depth % kFeatures;
    node.left = static_cast<std::int32_t>(tree.nodes.size());
    tree.nodes.push_back({.count = 0});
    tree.nodes.push_back({.count = 1});
  }
  EXPECT_EQ(code_of([&] { TreeShap(tree, kPlaces, TreeShap::Of::features); }), 4034);
}

// As a damaged model file may have them.
TEST(ShapOfTree, CountsThatDoNotAddUpAreShares) {
  Random r(7);
  Tree tree = random_tree(r, 12, 1);
  for (Node& node : tree.nodes) node.count = r.below(1000);
  const Strip strip = random_rows(r);
  const TreeShap shap(tree, kPlaces, TreeShap::Of::features);
  TreeShap::Scratch scratch;
  std::vector<double> phi(kFeatures * kStrip);
  shap.add(strip, 0, phi.data(), scratch);
  for (int i = 0; i < kRows; ++i) {
    double row[kFeatures], sum = shap.expected(0);
    for (int f = 0; f < kFeatures; ++f) {
      row[f] = strip.cells[f * kStrip + i];
      sum += phi[f * kStrip + i];
    }
    EXPECT_NEAR(sum, double{tree.find(row).value}, 1e-12);
  }
}

}  // namespace
}  // namespace gradatim::boost
