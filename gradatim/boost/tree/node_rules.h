// What becomes of a node's rows and value when it is split, whatever the order of growth.
//
//  1. root() and divide() know the rows of this rank: their number and fine sums.
//  2. sums_of() those are added up over all ranks, which takes an exchange, and one that carries
//     histograms does as well (split_search.h).
//  3. settle() takes the sums of all rows: only now has a node a total, a value and a score.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/boost/tree/sum_lanes.h"
#include "gradatim/boost/tree/tree_writer.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

/// One byte a bin: whether it goes left.
inline std::vector<std::uint8_t> left_bins(const BinnedData& data, const Candidate& split) {
  const FeatureBins& bins = data.features()[split.feature];
  std::vector<std::uint8_t> left(bins.bins + 1);
  for (std::int32_t b = 0; b < bins.bins; ++b) {
    left[b] = bins.categorical() ? split.left_categories[b >> 5] >> (b & 31) & 1U : b <= split.bin;
  }
  left[bins.bins] = split.missing_left;
  return left;
}

template <class Fine>
class NodeRules {
 public:
  static constexpr bool kVectors = requires(const Fine& fine) { fine.outputs(); };
  using Sum = typename Fine::Sum;
  using Open = OpenNode<Sum>;
  using Children = std::pair<Open, Open>;
  NodeRules(const BinnedData& data, const Fine& fine, const GrowOptions& options)
      : data_(data), fine_(fine), options_(options) {}

  /// What a leaf predicts: one value, or one for each of several outputs.
  int outputs() const {
    if constexpr (kVectors) return fine_.outputs();
    return 1;
  }

  /// A root that holds the rows of the partition.
  Open root(std::span<const std::uint32_t> rows) const {
    Open node;
    node.end = node.count = static_cast<std::int64_t>(rows.size());
    node.total = sum_rows(rows);
    if (data_.shard().split()) node.own_total = node.total;
    return node;
  }

  /// Divides the rows of nodes by a split each, and gives the left and right child of each.
  std::vector<Children> divide(std::span<const Open* const> nodes,
                               std::span<const Candidate* const> splits,
                               RowPartition& partition) const {
    const bool several = data_.shard().split();
    std::vector<PartitionTask<Sum>> tasks;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const Open& node = *nodes[i];
      tasks.push_back({node.begin, node.end, splits[i]->feature, left_bins(data_, *splits[i]),
                       several ? node.own_total : node.total, 0, fine_.make()});
    }
    partition.split(data_, fine_, tasks);
    std::vector<Children> made;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      auto& [left, right] =
          made.emplace_back(child(*nodes[i], *splits[i], 0), child(*nodes[i], *splits[i], 1));
      left.end = right.begin = left.begin + tasks[i].left_rows;
      left.count = tasks[i].left_rows;
      left.total = std::move(tasks[i].left_sum);
      if (!several) continue;
      left.own_total = left.total;
      right.own_total = nodes[i]->own_total;
      fine_.subtract(right.own_total, left.own_total);
    }
    return made;
  }

  /// Numbers and sums of the rows of nodes: of a root, or of left children, the right ones being
  /// what is left of their parents.
  std::vector<std::int64_t> sums_of(std::span<Open* const> nodes) const {
    std::vector<std::int64_t> sums;
    for (Open* node : nodes) {
      sums.push_back(node->count);
      each_lane(node->total, [&](std::int64_t lane) { sums.push_back(lane); });
    }
    return sums;
  }

  /// Takes the sums of all ranks from the front of `sums`.
  void settle(Open& node, std::span<const std::int64_t>& sums) const {
    const std::int64_t* at = sums.data();
    node.count = *at++;
    each_lane(node.total, [&](std::int64_t& lane) { lane = *at++; });
    sums = {at, sums.data() + sums.size()};
    appraise(node);
  }
  void settle(const Open& parent, Open& left, Open& right,
              std::span<const std::int64_t>& sums) const {
    settle(left, sums);
    right.count = parent.count - left.count;
    right.total = parent.total;
    fine_.subtract(right.total, left.total);
    appraise(right);
  }

  /// Value and score of a node, from its fine sums and limits.
  void appraise(Open& node) const {
    if constexpr (HasValues<Fine>) {
      if (options_.limited) {
        node.value = fine_.value(node.total, node.limits);
        node.score = fine_.score(node.total, node.value);
        return;
      }
    }
    if constexpr (!kVectors) node.value = fine_.leaf(node.total);
    node.score = fine_.score(node.total);
  }

  /// Whether two children may be: rows enough on both sides, values in the feature's direction.
  bool admissible(const Candidate& split, const Open& left, const Open& right) const {
    return fine_.admissible(left.total) && fine_.admissible(right.total) && left.rows() > 0 &&
           right.rows() > 0 && direction(split.feature) * (right.value - left.value) >= 0.0;
  }

  /// Below a split on a monotone feature, values stay on their side of the middle.
  void bound(const Candidate& split, Open& left, Open& right) const {
    const int way = direction(split.feature);
    if (way == 0) return;
    const double middle = (left.value + right.value) / 2.0;
    (way > 0 ? left : right).limits.high = middle;
    (way > 0 ? right : left).limits.low = middle;
  }

  void describe(const Open& node, TreeWriter& tree, GrowBuffers& buffers) const {
    tree[node.node].cover = fine_.cover(node.total);
    tree[node.node].count = node.rows();
    for (int k = 0; k < outputs(); ++k) {
      if constexpr (kVectors) {
        tree.set_value(node.node, k, fine_.leaf(node.total, k));
      } else {
        tree.set_value(node.node, k, node.value);
      }
    }
    if (!options_.limited) return;
    buffers.limits.resize(node.node + 1);
    buffers.limits[node.node] = node.limits;
  }

 private:
  // A child that has all of the parent's rows still.
  Open child(const Open& parent, const Candidate& split, int side) const {
    Open node;
    node.depth = parent.depth + 1;
    node.columns = parent.columns;
    node.place = 2 * parent.place + side;
    node.begin = parent.begin;
    node.end = parent.end;
    node.limits = parent.limits;
    node.limits.parent = parent.value;
    if (options_.features.groups.empty()) return node;
    node.path = parent.path;
    node.path.push_back(split.feature);
    return node;
  }

  Sum sum_rows(std::span<const std::uint32_t> rows) const {
    constexpr std::int64_t kBlock = 16384;
    const auto count = static_cast<std::int64_t>(rows.size());
    std::vector<Sum> blocks((count + kBlock - 1) / kBlock, fine_.make());
    parallel_for(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
      auto& sum = blocks[begin / kBlock];
      if constexpr (kVectors) {
        fine_.add_rows(sum, rows.subspan(begin, end - begin));
      } else {
        for (std::int64_t i = begin; i < end; ++i) Fine::add_row(sum, fine_.read(rows[i]));
      }
    });
    auto total = fine_.make();
    for (const auto& block : blocks) fine_.merge(total, block);
    return total;
  }

  int direction(std::int32_t feature) const {
    const auto& directions = options_.features.direction;
    return directions.empty() ? 0 : directions[feature];
  }

  const BinnedData& data_;
  const Fine& fine_;
  const GrowOptions& options_;
};

}  // namespace gradatim::boost
