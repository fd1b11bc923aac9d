// A decision tree as an array of nodes; node 0 is the root, children come after their parent.
//
// Numeric: x < threshold goes left. Categorical: a category whose bit is set goes left. Missing
// cells (NaN, unseen categories) go to the side that training chose.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::boost {

struct Node {
  std::int32_t feature = -1;  // -1 in a leaf
  std::int32_t left = 0;      // the right child is left + 1
  double threshold = 0.0;
  float value = 0.0F;  // what a leaf adds to the margin, or the class that it votes for
  bool missing_left = false;
  bool categorical = false;
  std::int32_t first_word = 0;  // of the categories that go left, in Tree::category_words
  std::int32_t words = 0;
  float gain = 0.0F;           // of the split: the fall of the objective, without the factor 1/2
  double cover = 0.0;          // sum of hessians, or of weights
  std::int64_t count = 0;      // training rows
  std::int32_t split_bin = 0;  // training only: bins <= it go left; not stored

  bool leaf() const { return feature < 0; }
};

/// Linear models of leaves: intercept + sum of weight * x (linear_leaves.h).
struct Slopes {
  struct Term {
    std::int32_t feature = 0;
    double weight = 0.0;
  };
  std::vector<std::int32_t> first;  // of each node in `all`, and one past the last; empty: none
  std::vector<Term> all;
  std::vector<double> intercept;  // [nodes]
  double step = 0.0;              // of the grid that values are rounded to

  bool any() const { return !first.empty(); }
};

struct Tree {
  std::vector<Node> nodes;
  std::vector<std::uint32_t> category_words;
  int outputs = 1;
  std::vector<float> vectors;  // [nodes, outputs] what leaves add, where outputs > 1
  Slopes slopes;               // only with one output

  /// What a leaf adds to one output.
  float value(std::int32_t node, int output) const {
    return outputs == 1 ? nodes[node].value : vectors[std::size_t(node) * outputs + output];
  }
  void set_value(std::int32_t node, int output, float value) {
    (outputs == 1 ? nodes[node].value : vectors[std::size_t(node) * outputs + output]) = value;
  }

  /// What a leaf of a tree with slopes adds to the margin, `x(feature)` a row's cells: its constant
  /// where a cell is missing, or the value not finite.
  template <class X>
  double linear_value(std::int32_t node, X&& x) const {
    const double constant = double{nodes[node].value};
    const std::int32_t end = slopes.first[node + 1];
    if (slopes.first[node] == end) return constant;
    double sum = slopes.intercept[node];
    for (std::int32_t i = slopes.first[node]; i < end; ++i) {
      sum += slopes.all[i].weight * x(slopes.all[i].feature);
    }
    if (slopes.step > 0.0) sum = std::nearbyint(sum / slopes.step) * slopes.step;
    return std::isfinite(sum) ? sum : constant;
  }

  bool goes_left(const Node& node, double x) const {
    if (std::isnan(x)) return node.missing_left;
    if (!node.categorical) return x < node.threshold;
    const auto code = static_cast<std::int64_t>(x);
    if (code < 0 || code >= std::int64_t{node.words} * 32) return node.missing_left;
    return (category_words[node.first_word + (code >> 5)] >> (code & 31) & 1U) != 0;
  }
  /// The leaf of a row of features.
  const Node& find(const double* features) const {
    const Node* node = nodes.data();
    while (!node->leaf()) {
      node = nodes.data() + node->left + (goes_left(*node, features[node->feature]) ? 0 : 1);
    }
    return *node;
  }
};

}  // namespace gradatim::boost
