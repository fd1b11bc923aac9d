// Grows one tree: a loop that takes a batch of open nodes, splits them, and opens their children.
//
//  1. The root holds the sampled rows; its histogram and best split are found.
//  2. A batch is taken: the whole level (depthwise), or the best leaf and where it pays the next
//     best ones in advance (lossguide).
//  3. Rows are partitioned; fine sums of both children are exact, and decide whether the split
//     stands (coarse sums only ranked it).
//  4. Histograms and best splits of the children are found (split_search.h); with several ranks
//     histograms are built before it is decided, and thrown away where the split does not stand.
//  5. Nodes are written, in order of nodes or of gains: the tree that one at a time would give.
//  6. What cannot be split is a leaf; its value comes from its fine sums, within its limits: a
//     split on a monotone feature bounds all that is below its children by the middle of their
//     values.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/boost/tree/node_rules.h"
#include "gradatim/boost/tree/split_search.h"
#include "gradatim/boost/tree/tree_writer.h"

namespace gradatim::boost {

template <class Criterion, class Fine>
class TreeGrower {
 public:
  TreeGrower(const BinnedData& data, const Criterion& criterion, const Fine& fine,
             const GrowOptions& options, std::span<const std::int32_t> features,
             GrowBuffers& buffers)
      : data_(data),
        fine_(fine),
        options_(options),
        buffers_(buffers),
        rules_(data, fine, options),
        search_(data, criterion, fine, options, features, buffers) {}

  /// On these rows; none are every row.
  Tree grow(std::span<const std::uint32_t> rows) {
    buffers_.partition.reset(rows, data_.rows());
    buffers_.leaves.clear();
    buffers_.limits.clear();
    buffers_.pool.reset(search_.cells());
    tree_.reset(rules_.outputs());
    open_.clear();
    tree_.add_nodes(1);
    Open root = rules_.root(buffers_.partition.rows());
    Open* nodes[] = {&root};
    auto sums = rules_.sums_of(nodes);
    search_.build(nodes, sums);
    std::span<const std::int64_t> added(sums);
    rules_.settle(root, added);
    rules_.describe(root, tree_, buffers_);
    if (search_.may_split(root)) search_.find(nodes);
    if (splittable(root))
      open_.push_back(std::move(root));
    else
      close(root);
    while (!open_.empty()) {
      if (options_.grow_policy == GrowPolicy::depthwise)
        split_level();
      else
        split_best();
    }
    return tree_.take();
  }

 private:
  using Search = SplitSearch<Criterion, Fine>;
  using Open = typename Search::Open;
  using Family = typename Search::Family;

  void release(Open& node) { buffers_.pool.release(std::exchange(node.histogram, nullptr)); }

  void close(Open& node) {
    release(node);
    if (node.expansion) {
      release(node.expansion->left);
      release(node.expansion->right);
      buffers_.partition.sort(node.begin, node.end);
    }
    buffers_.leaves.push_back({node.node, buffers_.partition.rows(node.begin, node.end)});
  }

  static bool splittable(const Open& node) { return node.best.found() && node.gain > 0.0; }

  std::int64_t room() const {
    if (options_.max_leaves == 0) return std::numeric_limits<std::int64_t>::max();
    return options_.max_leaves - static_cast<std::int64_t>(buffers_.leaves.size() + open_.size());
  }

  // The larger gain first; the older node where they are equal.
  static bool better(const Open& a, const Open& b) {
    return a.gain != b.gain ? a.gain > b.gain : a.node < b.node;
  }

  void close_all() {
    for (auto& node : open_) close(node);
    open_.clear();
  }

  // The shallowest level, or what of it fits under the cap; where leaves are few, the best of it.
  void split_level() {
    const auto count =
        std::min({static_cast<std::int64_t>(open_.size()), room(), search_.most_histograms() / 4});
    if (count <= 0) return close_all();
    std::sort(open_.begin(), open_.end(), [](const Open& a, const Open& b) {
      return a.depth != b.depth ? a.depth < b.depth : better(a, b);
    });
    std::vector<Open> batch(std::make_move_iterator(open_.begin()),
                            std::make_move_iterator(open_.begin() + count));
    open_.erase(open_.begin(), open_.begin() + count);
    std::sort(batch.begin(), batch.end(),
              [](const Open& a, const Open& b) { return a.node < b.node; });
    std::vector<Open*> nodes;
    for (auto& node : batch) nodes.push_back(&node);
    expand(nodes);
    for (auto& node : batch) commit(std::move(node));
  }

  // Pure best-first, one leaf after the other; but where the best one is not expanded yet, the next
  // best ones are expanded with it, in parallel. Their turn may never come: then they are leaves.
  void split_best() {
    if (room() <= 0) return close_all();
    auto best = std::min_element(open_.begin(), open_.end(), better);
    if (!best->expansion) speculate();
    Open node = std::move(*best);
    open_.erase(best);
    commit(std::move(node));
  }

  // A split that is never taken was work for nothing: more than one at a time pays where threads
  // would idle, in the exact search, which reads whole columns for however few nodes, and where
  // ranks would wait for each other.
  std::int64_t speculation() const {
    constexpr std::int64_t kMost = 8;
    if (options_.speculation > 0) return options_.speculation;
    if (data_.shard().split()) return kMost / 2;
    return data_.exact() ? kMost : std::clamp<std::int64_t>(current_threads() / 2, 1, kMost);
  }

  void speculate() {
    std::vector<Open*> nodes;
    for (auto& node : open_) {
      if (!node.expansion) nodes.push_back(&node);
    }
    // Half of the splits that are left: what comes later is often overtaken by children.
    const auto count = std::clamp<std::int64_t>(std::min(room() / 2, search_.most_histograms() / 4),
                                                1, speculation());
    std::sort(nodes.begin(), nodes.end(),
              [](const Open* a, const Open* b) { return better(*a, *b); });
    if (static_cast<std::int64_t>(nodes.size()) > count) nodes.resize(count);
    expand(nodes);
  }

  // Partitions rows, decides whether each split stands, and finds the children's best splits. The
  // tree does not change.
  void expand(std::span<Open* const> batch) {
    std::vector<const Candidate*> splits;
    for (const Open* node : batch) splits.push_back(&node->best);
    auto made = rules_.divide(std::vector<const Open*>(batch.begin(), batch.end()), splits,
                              buffers_.partition);
    std::vector<Family> families;
    std::vector<Open*> lefts, children;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Open& node = *batch[i];
      node.expansion = std::make_unique<Expansion<typename Fine::Sum>>(
          false, 0.0, std::move(made[i].first), std::move(made[i].second));
      lefts.push_back(&node.expansion->left);
      if (search_.builds_ahead(node)) families.push_back(family_of(node, node.best.left_smaller));
    }
    auto sums = rules_.sums_of(lefts);
    search_.build_children(families, sums);
    families.clear();
    std::span<const std::int64_t> added(sums);
    for (Open* node : batch) {
      auto& [stands, gain, left, right] = *node->expansion;
      rules_.settle(*node, left, right, added);
      gain = left.score + right.score - node->score;
      // Beyond rounding: a gain below 2^-40 of what it is a difference of is none.
      stands = rules_.admissible(node->best, left, right) && gain >= options_.min_split_gain &&
               gain > std::abs(node->score) * 0x1p-40;
      if (stands) rules_.bound(node->best, left, right);
      if (stands && (search_.may_split(left) || search_.may_split(right))) {
        const bool built = left.histogram != nullptr;
        if (!built) families.push_back(family_of(*node, left.rows() <= right.rows()));
        children.insert(children.end(), {&left, &right});
      } else {
        for (Open* kin : {node, &left, &right}) release(*kin);
      }
    }
    search_.build_children(families);
    search_.find(children);
    for (Open* node : children) {
      if (!splittable(*node) || buffers_.pool.in_use() > search_.most_histograms()) release(*node);
    }
  }

  // The children take over the histogram.
  static Family family_of(Open& node, bool left_smaller) {
    return {std::exchange(node.histogram, nullptr), &node.expansion->left, &node.expansion->right,
            left_smaller};
  }

  // Writes an expanded node; its children are open, or leaves.
  void commit(Open node) {
    const auto expansion = std::move(node.expansion);
    auto& [stands, gain, left, right] = *expansion;
    if (!stands) {
      buffers_.partition.sort(node.begin, node.end);
      close(node);
      return;
    }
    write_split(node, gain, left, right);
    for (Open* next : {&left, &right}) {
      if (splittable(*next))
        open_.push_back(std::move(*next));
      else
        close(*next);
    }
  }

  void write_split(const Open& node, double gain, Open& left, Open& right) {
    left.node = tree_.add_nodes(2);
    right.node = left.node + 1;
    rules_.describe(left, tree_, buffers_);
    rules_.describe(right, tree_, buffers_);
    tree_.split(node.node, node.best, data_.features()[node.best.feature], gain, left.node);
  }

  const BinnedData& data_;
  const Fine& fine_;
  const GrowOptions& options_;
  GrowBuffers& buffers_;
  NodeRules<Fine> rules_;
  Search search_;
  TreeWriter tree_;
  std::vector<Open> open_;
};

}  // namespace gradatim::boost
