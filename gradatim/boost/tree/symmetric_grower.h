// Grows a symmetric (oblivious) tree: all nodes of a level are split by the same feature and
// threshold, the one whose gains sum up to most. Kohavi (1994); Prokhorenkova and others (2018),
// CatBoost.
//
// A level is accepted while its sum of gains, by fine sums, is positive. Where one of two children
// is not admissible (too light, or empty), the node is not split in effect: both children keep its
// value until a later split tells them apart. So a leaf without rows predicts what its last
// ancestor with rows did.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/tree/feature_choice.h"
#include "gradatim/boost/tree/level_scan.h"
#include "gradatim/boost/tree/node_rules.h"
#include "gradatim/boost/tree/split_search.h"

namespace gradatim::boost {

template <class Criterion, class Fine>
class SymmetricGrower {
 public:
  SymmetricGrower(const BinnedData& data, const Criterion& criterion, const Fine& fine,
                  const GrowOptions& options, std::span<const std::int32_t> features,
                  GrowBuffers& buffers)
      : data_(data),
        criterion_(criterion),
        fine_(fine),
        options_(options),
        choice_(options, features),
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
    tree_.add_nodes(1);
    std::vector<Open> level;
    level.push_back(rules_.root(buffers_.partition.rows()));
    Open* root[] = {&level[0]};
    auto sums = rules_.sums_of(root);
    search_.build(root, sums);
    std::span<const std::int64_t> added(sums);
    rules_.settle(level[0], added);
    rules_.describe(level[0], tree_, buffers_);
    read_candidates(level[0]);
    while (level[0].depth < options_.max_depth && has_room(level)) {
      const Candidate best = find(level);
      if (!best.found()) break;
      auto next = split(level, best);
      if (next.empty()) break;
      level = std::move(next);
    }
    for (Open& node : level) {
      buffers_.pool.release(node.histogram);
      if (node.rows() == 0) continue;
      buffers_.leaves.push_back({node.node, buffers_.partition.rows(node.begin, node.end)});
    }
    return tree_.take();
  }

 private:
  using Search = SplitSearch<Criterion, Fine>;
  using Open = typename Search::Open;

  bool has_room(const std::vector<Open>& level) const {
    return options_.max_leaves == 0 ||
           2 * static_cast<std::int64_t>(level.size()) <= options_.max_leaves;
  }

  void read_candidates(const Open& root) {
    for (std::size_t f = 0; f < data_.features().size(); ++f) {
      const auto feature = static_cast<std::int32_t>(f);
      if (!search_.finds(feature)) {
        candidates_.emplace_back();  // another rank's
        continue;
      }
      candidates_.push_back(level_candidates(criterion_, cells_of(root, feature),
                                             data_.features()[f], options_.categories));
    }
  }

  const std::int64_t* cells_of(const Open& node, std::int32_t feature) const {
    return search_.cells_of(node, feature);
  }

  // Nodes without a histogram get one for as long as it takes, some at a time.
  Candidate find(std::vector<Open>& level) {
    auto features = choice_.of(level[0]);
    std::erase_if(features, [&](std::int32_t f) { return !search_.finds(f); });
    std::vector<LevelScan<Criterion>> scans;
    for (const std::int32_t f : features) {
      scans.emplace_back(criterion_, candidates_[f], f, data_.features()[f].bins,
                         options_.categories);
    }
    std::vector<Open*> nodes;
    for (Open& node : level) {
      if (node.rows() > 0) nodes.push_back(&node);
    }
    for (std::size_t begin = 0; begin < nodes.size();) {
      const auto left = static_cast<std::int64_t>(nodes.size() - begin);
      const auto count =
          nodes[begin]->histogram != nullptr ? left : std::min(left, search_.most_histograms() / 2);
      const auto block = std::span(nodes).subspan(begin, count);
      begin += count;
      const bool lent = block[0]->histogram == nullptr;
      if (lent) search_.build(block);
      parallel_tasks(static_cast<std::int64_t>(scans.size()), [&](std::int64_t i) {
        for (const Open* node : block) add(scans[i], *node, features[i]);
      });
      for (Open* node : block) {
        if (!lent) continue;
        buffers_.pool.release(node->histogram);
        node->histogram = nullptr;
      }
    }
    Candidate best;
    best.score = 0.0;
    for (std::size_t i = 0; i < scans.size(); ++i) {
      Candidate found = scans[i].best(data_.features()[features[i]]);
      if (found.found() && found.beats(best)) best = std::move(found);
    }
    Candidate* all[] = {&best};
    search_.choose_best(all);
    return best;
  }

  void add(LevelScan<Criterion>& scan, const Open& node, std::int32_t feature) const {
    const std::int64_t* cells = cells_of(node, feature);
    if constexpr (HasValues<Criterion>) {
      if (options_.limited) {
        const auto& direction = options_.features.direction;
        scan.add(cells, node.score,
                 LimitedPair{node.limits, direction.empty() ? 0 : direction[feature]});
        return;
      }
    }
    scan.add(cells, node.score, FreePair());
  }

  // The next level; empty where fine sums find no gain.
  std::vector<Open> split(std::vector<Open>& level, const Candidate& best) {
    std::vector<const Open*> nodes;
    for (const Open& node : level) nodes.push_back(&node);
    const std::vector<const Candidate*> splits(level.size(), &best);
    auto children = rules_.divide(nodes, splits, buffers_.partition);
    std::vector<Open*> lefts;
    for (auto& [left, right] : children) lefts.push_back(&left);
    auto sums = rules_.sums_of(lefts);
    search_.build_children({}, sums);
    std::span<const std::int64_t> added(sums);
    std::vector<Open> next;
    std::vector<double> gains(level.size());
    double gain = 0.0;
    double scores = 0.0;
    for (std::size_t i = 0; i < level.size(); ++i) {
      const Open& node = level[i];
      auto& [left, right] = children[i];
      rules_.settle(node, left, right, added);
      if (rules_.admissible(best, left, right)) {
        gains[i] = left.score + right.score - node.score;
      } else {
        keep_value(node, left);
        keep_value(node, right);
      }
      rules_.bound(best, left, right);  // also of equal values: later ones are told apart
      gain += gains[i];
      scores += std::abs(node.score);
      next.push_back(std::move(left));
      next.push_back(std::move(right));
    }
    if (!(gain > scores * 0x1p-40) || gain < options_.min_split_gain) {
      for (const Open& node : level) buffers_.partition.sort(node.begin, node.end);
      return {};
    }
    for (std::size_t i = 0; i < level.size(); ++i) {
      next[2 * i].node = tree_.add_nodes(2);
      next[2 * i + 1].node = next[2 * i].node + 1;
      rules_.describe(next[2 * i], tree_, buffers_);
      rules_.describe(next[2 * i + 1], tree_, buffers_);
      tree_.split(level[i].node, best, data_.features()[best.feature], std::max(0.0, gains[i]),
                  next[2 * i].node);
    }
    hand_down(level, next);
    return next;
  }

  void keep_value(const Open& parent, Open& node) const {
    node.value = parent.value;
    node.limits = parent.limits;
    if constexpr (HasValues<Fine>) node.score = fine_.score(node.total, node.value);
  }

  // Histograms of the next level by subtraction, as long as all of them fit under the cap.
  void hand_down(std::vector<Open>& level, std::vector<Open>& next) {
    const auto holding = std::ranges::count_if(next, [](const Open& n) { return n.rows() > 0; });
    std::vector<typename Search::Family> families;
    for (std::size_t i = 0; i < level.size(); ++i) {
      Open& left = next[2 * i];
      Open& right = next[2 * i + 1];
      std::int64_t*& histogram = level[i].histogram;
      if (histogram == nullptr) continue;
      if (next[0].depth == options_.max_depth || holding > search_.most_histograms()) {
        buffers_.pool.release(histogram);
      } else if (left.rows() > 0 && right.rows() > 0) {
        families.push_back({histogram, &left, &right, left.rows() <= right.rows()});
      } else {
        (left.rows() > 0 ? left : right).histogram = histogram;
      }
      histogram = nullptr;
    }
    search_.build_children(families);
  }

  const BinnedData& data_;
  const Criterion& criterion_;
  const Fine& fine_;
  const GrowOptions& options_;
  FeatureChoice choice_;
  GrowBuffers& buffers_;
  NodeRules<Fine> rules_;
  Search search_;
  TreeWriter tree_;
  std::vector<LevelCandidates> candidates_;  // of each feature
};

}  // namespace gradatim::boost
