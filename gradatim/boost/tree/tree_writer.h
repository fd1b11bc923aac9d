// Nodes of a growing tree as they are stored.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/tree/split.h"
#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

class TreeWriter {
 public:
  void reset(int outputs) {
    tree_ = {};
    tree_.outputs = outputs;
  }
  void set_value(std::int32_t node, int output, double value) {
    tree_.set_value(node, output, static_cast<float>(value));
  }
  Tree take() { return std::move(tree_); }
  std::int32_t add_nodes(std::int32_t count) {
    const auto first = static_cast<std::int32_t>(tree_.nodes.size());
    tree_.nodes.resize(tree_.nodes.size() + count);
    if (tree_.outputs > 1) tree_.vectors.resize(tree_.nodes.size() * tree_.outputs);
    return first;
  }
  Node& operator[](std::int32_t node) { return tree_.nodes[node]; }

  /// Turns a leaf into a split with children `left` and left + 1.
  void split(std::int32_t at, const Candidate& best, const FeatureBins& bins, double gain,
             std::int32_t left) {
    Node& node = tree_.nodes[at];
    node.feature = best.feature;
    node.left = left;
    node.gain = static_cast<float>(std::min(gain, double{std::numeric_limits<float>::max()}));
    for (int k = 0; k < tree_.outputs; ++k) tree_.set_value(at, k, 0.0F);
    node.missing_left = best.missing_left;
    node.categorical = bins.categorical();
    if (!node.categorical) {
      set_threshold(node, best, bins);
      return;
    }
    node.first_word = static_cast<std::int32_t>(tree_.category_words.size());
    node.words = static_cast<std::int32_t>(best.left_categories.size());
    tree_.category_words.insert(tree_.category_words.end(), best.left_categories.begin(),
                                best.left_categories.end());
  }

 private:
  static void set_threshold(Node& node, const Candidate& split, const FeatureBins& bins) {
    node.split_bin = split.bin;
    if (split.bin < 0) {
      node.threshold = -std::numeric_limits<double>::infinity();  // only missing cells go left
    } else if (bins.values.empty()) {
      node.threshold = bins.cuts[split.bin];
    } else {
      // Exact: half-way between the node's own neighbours, and the bins below that.
      node.threshold = threshold_between(bins.values[split.bin], bins.values[split.next]);
      const auto below = std::lower_bound(bins.values.begin(), bins.values.end(), node.threshold);
      node.split_bin = static_cast<std::int32_t>(below - bins.values.begin()) - 1;
    }
  }

  Tree tree_;
};

}  // namespace gradatim::boost
