// Grows one tree: a loop that takes a batch of open nodes, splits them, and opens their children.
//
//  1. The root holds the sampled rows; its histogram and best split are found.
//  2. A batch is taken: the whole level (depthwise) or the best leaf (lossguide).
//  3. Rows are partitioned; fine sums of both children are exact, and decide whether the split
//     stands (coarse sums only ranked it).
//  4. The smaller child's histogram is built, the other is the parent's minus it; best splits are
//     found, node by feature, in parallel.
//  5. What cannot be split is a leaf; its value comes from its fine sums.
// The exact search takes the place of histograms in 1 and 4.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/exact.h"
#include "gradatim/boost/tree/histogram.h"
#include "gradatim/boost/tree/histogram_pool.h"
#include "gradatim/boost/tree/partition.h"
#include "gradatim/boost/tree/sparse_histogram.h"
#include "gradatim/boost/tree/split.h"
#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

enum class GrowPolicy { depthwise, lossguide };

struct GrowOptions {
  std::int32_t max_depth = 6;   // 0 is unlimited
  std::int32_t max_leaves = 0;  // 0 is unlimited
  double min_split_gain = 0.0;
  GrowPolicy grow_policy = GrowPolicy::depthwise;
  CategoryRule categories;
};

/// Training rows of one leaf.
struct LeafRows {
  std::int32_t node = 0;
  std::span<const std::uint32_t> rows;
};

/// Buffers that live as long as a fit, and the rows of the last tree's leaves.
struct GrowBuffers {
  RowPartition partition;
  HistogramPool pool;
  std::vector<std::vector<std::int64_t>> scratch;
  std::vector<std::int32_t> node_of_row;
  std::vector<LeafRows> leaves;
};

template <class Criterion, class Fine>
class TreeGrower {
 public:
  TreeGrower(const BinnedData& data, const Criterion& criterion, const Fine& fine,
             const GrowOptions& options, std::span<const std::int32_t> features,
             GrowBuffers& buffers)
      : data_(data),
        criterion_(criterion),
        fine_(fine),
        options_(options),
        features_(features),
        buffers_(buffers) {}

  Tree grow(std::span<const std::uint32_t> rows) {
    buffers_.partition.reset(rows);
    buffers_.leaves.clear();
    buffers_.pool.reset(data_.exact() ? 0 : data_.cells() * criterion_.lanes());
    tree_ = {};
    if constexpr (kVectors) tree_.outputs = fine_.outputs();
    Open root;
    root.end = buffers_.partition.size();
    root.total = sum_rows(rows);
    add_nodes(1);
    describe(root);
    open_.clear();
    if (may_split(root)) {
      std::vector<Open> first;
      first.push_back(std::move(root));
      build({}, first);
      admit(first);
    } else {
      close(root);
    }
    while (!open_.empty()) expand(take_batch());
    return std::move(tree_);
  }

 private:
  // Leaves hold a value for each of several outputs.
  static constexpr bool kVectors = internal::AddsVectors<Criterion>;

  struct Open {
    std::int32_t node = 0;
    std::int32_t depth = 0;
    std::int64_t begin = 0;
    std::int64_t end = 0;
    typename Fine::Sum total;
    std::int64_t* histogram = nullptr;
    Candidate best;
    double gain = 0.0;  // by ranking statistics

    std::int64_t rows() const { return end - begin; }
  };

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

  bool may_split(const Open& node) const {
    return node.rows() >= 2 && (options_.max_depth == 0 || node.depth < options_.max_depth);
  }

  void add_nodes(std::size_t count) {
    tree_.nodes.resize(tree_.nodes.size() + count);
    if constexpr (kVectors) tree_.vectors.resize(tree_.nodes.size() * tree_.outputs);
  }

  void describe(const Open& open) {
    Node& node = tree_.nodes[open.node];
    node.cover = fine_.cover(open.total);
    node.count = open.rows();
    if constexpr (kVectors) {
      for (int k = 0; k < tree_.outputs; ++k) {
        tree_.set_value(open.node, k, static_cast<float>(fine_.leaf(open.total, k)));
      }
    } else {
      node.value = static_cast<float>(fine_.leaf(open.total));
    }
  }

  void close(Open& node) {
    buffers_.pool.release(node.histogram);
    node.histogram = nullptr;
    buffers_.leaves.push_back({node.node, buffers_.partition.rows(node.begin, node.end)});
  }

  // Nodes with a split worth making become candidates for the next batch.
  void admit(std::vector<Open>& nodes) {
    find_splits(nodes);
    for (auto& node : nodes) {
      node.gain = node.best.score - fine_.score(node.total);
      if (!node.best.found() || !(node.gain > 0.0)) {
        close(node);
        continue;
      }
      // Beyond the cap a histogram is given up; its children are then built from their rows.
      if (buffers_.pool.in_use() > most_histograms()) {
        buffers_.pool.release(node.histogram);
        node.histogram = nullptr;
      }
      open_.push_back(std::move(node));
    }
  }

  std::int64_t most_histograms() const {
    const std::int64_t bytes = data_.cells() * criterion_.lanes() * std::int64_t{8};
    return std::max<std::int64_t>(4, kPoolBytes / std::max<std::int64_t>(1, bytes));
  }

  // The whole level (what fits under the cap at once), or the best leaf; never more than max_leaves
  // allows, the best first.
  std::vector<Open> take_batch() {
    const bool by_level = options_.grow_policy == GrowPolicy::depthwise;
    std::sort(open_.begin(), open_.end(), [by_level](const Open& a, const Open& b) {
      if (by_level && a.depth != b.depth) return a.depth < b.depth;
      return a.gain != b.gain ? a.gain > b.gain : a.node < b.node;
    });
    const auto waiting = static_cast<std::int64_t>(open_.size());
    const auto closed = static_cast<std::int64_t>(buffers_.leaves.size());
    std::int64_t count = by_level ? std::min(waiting, most_histograms() / 4) : 1;
    if (options_.max_leaves > 0) count = std::min(count, options_.max_leaves - closed - waiting);
    if (count <= 0) {
      for (auto& node : open_) close(node);
      open_.clear();
      return {};
    }
    std::vector<Open> batch(std::make_move_iterator(open_.begin()),
                            std::make_move_iterator(open_.begin() + count));
    open_.erase(open_.begin(), open_.begin() + count);
    std::sort(batch.begin(), batch.end(),
              [](const Open& a, const Open& b) { return a.node < b.node; });
    return batch;
  }

  // One byte a bin: whether it goes left.
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

  void expand(std::vector<Open> batch) {
    std::vector<PartitionTask<typename Fine::Sum>> tasks;
    for (const auto& node : batch) {
      tasks.push_back(
          {node.begin, node.end, node.best.feature, left_bins(node.best), node.total, 0, fine_.make()});
    }
    buffers_.partition.split(data_, fine_, tasks);
    std::vector<Open> children;
    std::vector<std::pair<std::int64_t*, std::size_t>> parents;  // histogram, first child
    for (std::size_t i = 0; i < batch.size(); ++i) {
      Open left = child(batch[i], batch[i].begin, batch[i].begin + tasks[i].left_rows);
      Open right = child(batch[i], left.end, batch[i].end);
      left.total = std::move(tasks[i].left_sum);
      right.total = batch[i].total;
      fine_.subtract(right.total, left.total);
      const double parent_score = fine_.score(batch[i].total);
      const double gain = fine_.score(left.total) + fine_.score(right.total) - parent_score;
      // Beyond rounding: a gain below 2^-40 of what it is a difference of is none.
      const bool stands = fine_.admissible(left.total) && fine_.admissible(right.total) &&
                          left.rows() > 0 && right.rows() > 0 && gain >= options_.min_split_gain &&
                          gain > parent_score * 0x1p-40;
      if (!stands) {
        close(batch[i]);
        continue;
      }
      split_node(batch[i], gain, left, right);
      if (may_split(left) || may_split(right)) {
        parents.emplace_back(batch[i].histogram, children.size());
        children.push_back(std::move(left));
        children.push_back(std::move(right));
      } else {
        buffers_.pool.release(batch[i].histogram);
        close(left);
        close(right);
      }
    }
    build(parents, children);
    admit(children);
  }

  Open child(const Open& parent, std::int64_t begin, std::int64_t end) const {
    Open node;
    node.depth = parent.depth + 1;
    node.begin = begin;
    node.end = end;
    return node;
  }

  void split_node(const Open& open, double gain, Open& left, Open& right) {
    left.node = static_cast<std::int32_t>(tree_.nodes.size());
    right.node = left.node + 1;
    add_nodes(2);
    describe(left);
    describe(right);
    Node& node = tree_.nodes[open.node];
    const FeatureBins& bins = data_.features()[open.best.feature];
    node.feature = open.best.feature;
    node.left = left.node;
    node.gain = static_cast<float>(std::min(gain, double{std::numeric_limits<float>::max()}));
    for (int k = 0; k < tree_.outputs; ++k) tree_.set_value(open.node, k, 0.0F);
    node.missing_left = open.best.missing_left;
    node.categorical = bins.categorical();
    if (node.categorical) {
      node.first_word = static_cast<std::int32_t>(tree_.category_words.size());
      node.words = static_cast<std::int32_t>(open.best.left_categories.size());
      tree_.category_words.insert(tree_.category_words.end(), open.best.left_categories.begin(),
                                  open.best.left_categories.end());
      return;
    }
    set_threshold(node, open.best, bins);
  }

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

  // Histograms of a batch: all of them without parents, else the smaller of each pair of children.
  void build(const std::vector<std::pair<std::int64_t*, std::size_t>>& parents,
             std::vector<Open>& nodes) {
    if (data_.exact()) return;
    std::vector<HistogramTask> tasks;
    struct Difference {
      std::int64_t* from;
      const std::int64_t* part;
    };
    std::vector<Difference> differences;
    auto request = [&](Open& node) {
      node.histogram = buffers_.pool.take();
      tasks.push_back({buffers_.partition.rows(node.begin, node.end), node.histogram});
    };
    if (parents.empty()) {
      for (auto& node : nodes) request(node);
    }
    for (const auto& [histogram, first] : parents) {
      if (histogram == nullptr) {
        request(nodes[first]);
        request(nodes[first + 1]);
        continue;
      }
      const bool left_smaller = nodes[first].rows() <= nodes[first + 1].rows();
      Open& small = nodes[left_smaller ? first : first + 1];
      Open& large = nodes[left_smaller ? first + 1 : first];
      request(small);
      large.histogram = histogram;
      differences.push_back({histogram, small.histogram});
    }
    build_histograms(data_, criterion_, features_, tasks, buffers_.scratch);
    build_sparse_histograms(data_, criterion_, features_, tasks);
    const std::int64_t cells = data_.cells() * criterion_.lanes();
    const std::int64_t blocks = (cells + kCellBlock - 1) / kCellBlock;
    parallel_tasks(blocks * static_cast<std::int64_t>(differences.size()), [&](std::int64_t task) {
      const Difference& difference = differences[task / blocks];
      const std::int64_t begin = task % blocks * kCellBlock;
      const std::int64_t end = std::min(cells, begin + kCellBlock);
      for (std::int64_t c = begin; c < end; ++c) difference.from[c] -= difference.part[c];
    });
  }

  void find_splits(std::vector<Open>& nodes) {
    if (nodes.empty()) return;
    const auto count = static_cast<std::int64_t>(nodes.size());
    const auto features = static_cast<std::int64_t>(features_.size());
    std::vector<std::vector<Candidate>> found(features);
    if constexpr (!kVectors) {
      if (data_.exact()) search_columns(nodes, found);
    }
    if (!data_.exact()) {
      for (auto& column : found) column.resize(count);
      const std::int64_t grain = std::max<std::int64_t>(1, kScanCells * features / data_.cells());
      parallel_for(count * features, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const Open& node = nodes[i / features];
          if (may_split(node))
            found[i % features][i / features] = scan(node, features_[i % features]);
        }
      });
    }
    for (std::int64_t n = 0; n < count; ++n) {
      for (auto& column : found) {
        if (column[n].beats(nodes[n].best)) nodes[n].best = std::move(column[n]);
      }
    }
  }

  Candidate scan(const Open& node, std::int32_t feature) const {
    const FeatureBins& bins = data_.features()[feature];
    if (data_.default_bin(feature) >= 0) {
      complete_default(data_, feature, criterion_.lanes(), node.histogram);
    }
    const std::int64_t* cells = node.histogram + data_.first_cell(feature) * criterion_.lanes();
    return bins.categorical()
               ? scan_categories(criterion_, cells, bins.bins, feature, options_.categories)
               : scan_numeric(criterion_, cells, bins.bins, feature);
  }

  void search_columns(const std::vector<Open>& nodes, std::vector<std::vector<Candidate>>& found) {
    auto& node_of_row = buffers_.node_of_row;
    node_of_row.assign(data_.rows(), kNoNode);
    std::vector<typename Fine::Sum> totals;
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      totals.push_back(nodes[n].total);
      if (!may_split(nodes[n])) continue;
      for (const std::uint32_t row : buffers_.partition.rows(nodes[n].begin, nodes[n].end)) {
        node_of_row[row] = static_cast<std::int32_t>(n);
      }
    }
    parallel_tasks(static_cast<std::int64_t>(features_.size()), [&](std::int64_t f) {
      found[f] = search_exact(data_, fine_, features_[f], options_.categories, node_of_row,
                              std::span<const typename Fine::Sum>(totals));
    });
  }

  static constexpr std::int64_t kPoolBytes = std::int64_t{512} << 20;  // of all histograms
  static constexpr std::int64_t kCellBlock = 8192;
  static constexpr std::int64_t kScanCells = 2048;  // a scan of so many is worth a task

  const BinnedData& data_;
  const Criterion& criterion_;
  const Fine& fine_;
  const GrowOptions& options_;
  std::span<const std::int32_t> features_;
  GrowBuffers& buffers_;
  Tree tree_;
  std::vector<Open> open_;
};

}  // namespace gradatim::boost
