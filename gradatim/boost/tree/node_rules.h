// What becomes of a node's rows and value when it is split, whatever the order of growth.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/boost/tree/tree_writer.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

template <class Fine>
class NodeRules {
 public:
  static constexpr bool kVectors = requires(const Fine& fine) { fine.outputs(); };
  using Open = OpenNode<typename Fine::Sum>;
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
    node.end = static_cast<std::int64_t>(rows.size());
    node.total = sum_rows(rows);
    appraise(node);
    return node;
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

  /// One byte a bin: whether it goes left.
  std::vector<std::uint8_t> left_bins(const Candidate& split) const {
    const FeatureBins& bins = data_.features()[split.feature];
    std::vector<std::uint8_t> left(bins.bins + 1);
    for (std::int32_t b = 0; b < bins.bins; ++b) {
      left[b] =
          bins.categorical() ? split.left_categories[b >> 5] >> (b & 31) & 1U : b <= split.bin;
    }
    left[bins.bins] = split.missing_left;
    return left;
  }

  /// The left (0) or right (1) child, appraised.
  Open child(const Open& parent, const Candidate& split, int side, std::int64_t left_rows,
             typename Fine::Sum total) const {
    Open node;
    node.depth = parent.depth + 1;
    node.columns = parent.columns;
    node.place = 2 * parent.place + side;
    node.begin = side == 0 ? parent.begin : parent.begin + left_rows;
    node.end = side == 0 ? parent.begin + left_rows : parent.end;
    node.total = std::move(total);
    node.limits = parent.limits;
    node.limits.parent = parent.value;
    appraise(node);
    if (options_.features.groups.empty()) return node;
    node.path = parent.path;
    node.path.push_back(split.feature);
    return node;
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
  typename Fine::Sum sum_rows(std::span<const std::uint32_t> rows) const {
    constexpr std::int64_t kBlock = 16384;
    const auto count = static_cast<std::int64_t>(rows.size());
    std::vector<typename Fine::Sum> blocks((count + kBlock - 1) / kBlock, fine_.make());
    parallel_for(count, kBlock, [&](std::int64_t begin, std::int64_t end) {
      auto& sum = blocks[begin / kBlock];
      for (std::int64_t i = begin; i < end; ++i) Fine::add_row(sum, fine_.read(rows[i]));
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
