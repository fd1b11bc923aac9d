// Finds the best split of every node of a batch: histograms first (the smaller of two children is
// built, the other is the parent's minus it), then node by feature in parallel. The exact search
// takes the place of both. Of several ranks each looks at features of its own (rank_cells.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "gradatim/boost/tree/exact.h"
#include "gradatim/boost/tree/exact_newton.h"
#include "gradatim/boost/tree/feature_choice.h"
#include "gradatim/boost/tree/histogram.h"
#include "gradatim/boost/tree/newton_scan.h"
#include "gradatim/boost/tree/node_rules.h"
#include "gradatim/boost/tree/random_threshold.h"
#include "gradatim/boost/tree/rank_cells.h"
#include "gradatim/boost/tree/sparse_histogram.h"
#include "gradatim/boost/tree/vector_scan.h"

namespace gradatim::boost {

template <class Criterion, class Fine>
class SplitSearch {
 public:
  using Open = OpenNode<typename Fine::Sum>;
  SplitSearch(const BinnedData& data, const Criterion& criterion, const Fine& fine,
              const GrowOptions& options, std::span<const std::int32_t> features,
              GrowBuffers& buffers)
      : data_(data),
        criterion_(criterion),
        fine_(fine),
        options_(options),
        features_(features),
        choice_(options, features),
        buffers_(buffers),
        ranks_(data, features, criterion.lanes(), buffers.on_the_way) {
    if (split()) buffers.own.reset(data.cells() * criterion.lanes());
  }

  /// Each becomes the best of all ranks' candidates in its place.
  void choose_best(std::span<Candidate* const> candidates) const { ranks_.choose_best(candidates); }
  /// Whether this rank finds the splits of the feature.
  bool finds(std::int32_t feature) const { return !split() || ranks_.owns(feature); }
  /// Numbers of a node's histogram.
  std::int64_t cells() const {
    if (data_.exact()) return 0;
    return (split() ? ranks_.own_cells() : data_.cells()) * criterion_.lanes();
  }
  bool may_split(const Open& node) const {
    return node.rows() >= 2 && (options_.max_depth == 0 || node.depth < options_.max_depth);
  }
  /// Beyond so many a histogram is given up; its children are then built from their rows.
  std::int64_t most_histograms() const {
    // The same on every rank: also what is added up for a moment, of all features, must fit.
    const std::int64_t bytes =
        (split() ? ranks_.all_cells() * criterion_.lanes() : cells()) * std::int64_t{8};
    return std::max<std::int64_t>(4, kPoolBytes / std::max<std::int64_t>(1, bytes));
  }

  /// With several ranks: whether the children's histograms are built before it is known that the
  /// split stands, so that the sums that decide are added up with them.
  bool builds_ahead(const Open& node) const {
    constexpr std::int64_t kRows = 3;  // so that one child at least has two
    return split() && node.rows() >= kRows && node.gain >= options_.min_split_gain &&
           (options_.max_depth == 0 || node.depth + 1 < options_.max_depth);
  }

  /// A parent's histogram (nullptr where it was given up) and its two children.
  struct Family {
    std::int64_t* histogram = nullptr;
    Open* left = nullptr;
    Open* right = nullptr;
    bool left_smaller = false;  // that is built from its rows
  };
  /// From rows. `sums` of this rank's rows become those of all ranks.
  void build(std::span<Open* const> nodes, std::span<std::int64_t> sums = {}) {
    if (data_.exact()) return build_columns();  // one rank, whose sums are those of all
    std::vector<HistogramTask> tasks;
    for (Open* node : nodes) {
      node->histogram = buffers_.pool.take();
      tasks.push_back({rows_of(*node), node->histogram});
    }
    fill(tasks, sums);
  }

  /// One child's from its rows, the other's by subtraction; `sums` as above.
  void build_children(std::span<const Family> families, std::span<std::int64_t> sums = {}) {
    if (data_.exact()) return split_columns(families);
    std::vector<HistogramTask> tasks;
    struct Difference {
      std::int64_t* from;
      const std::int64_t* part;
    };
    std::vector<Difference> differences;
    auto request = [&](Open& node, const std::uint32_t* kept = nullptr) {
      node.histogram = buffers_.pool.take();
      tasks.push_back({rows_of(node), node.histogram, kept});
    };
    for (const auto& [histogram, left, right, left_smaller] : families) {
      if (histogram == nullptr) {
        request(*left);
        request(*right);
        continue;
      }
      Open& small = left_smaller ? *left : *right;
      Open& large = left_smaller ? *right : *left;
      // The partition keeps what it sums up, which is the smaller side of this rank's rows.
      const bool kept = left_smaller == (own_rows(*left) <= own_rows(*right));
      request(small, kept ? buffers_.partition.kept(small.begin) : nullptr);
      large.histogram = histogram;
      differences.push_back({histogram, small.histogram});
    }
    fill(tasks, sums);
    const std::int64_t blocks = (cells() + kCellBlock - 1) / kCellBlock;
    parallel_tasks(blocks * static_cast<std::int64_t>(differences.size()), [&](std::int64_t task) {
      const Difference& difference = differences[task / blocks];
      const std::int64_t begin = task % blocks * kCellBlock;
      const std::int64_t end = std::min(cells(), begin + kCellBlock);
      for (std::int64_t c = begin; c < end; ++c) difference.from[c] -= difference.part[c];
    });
  }

  /// One feature's part of a node's histogram.
  const std::int64_t* cells_of(const Open& node, std::int32_t feature) const {
    if (split()) return node.histogram + ranks_.first_cell(feature) * criterion_.lanes();
    if (data_.default_bin(feature) >= 0) {
      complete_default(data_, feature, criterion_.lanes(), node.histogram);
    }
    return node.histogram + data_.first_cell(feature) * criterion_.lanes();
  }

  /// Sets `best` and `gain` of nodes that may be split.
  void find(std::span<Open* const> nodes) {
    if (nodes.empty()) return;
    std::vector<std::pair<std::size_t, std::int32_t>> jobs;  // node, feature
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      if (!may_split(*nodes[n])) continue;
      for (const std::int32_t f : choice_.of(*nodes[n])) {
        if (finds(f)) jobs.emplace_back(n, f);
      }
    }
    const auto count = static_cast<std::int64_t>(jobs.size());
    std::vector<Candidate> found(jobs.size());
    parallel_for(
        count, data_.exact() ? 1 : scan_grain(), [&](std::int64_t begin, std::int64_t end) {
          for (std::int64_t i = begin; i < end; ++i) {
            const auto [node, feature] = jobs[i];
            found[i] =
                data_.exact() ? scan_rows(*nodes[node], feature) : scan(*nodes[node], feature);
          }
        });
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      Candidate& best = nodes[jobs[i].first]->best;
      if (found[i].beats(best)) best = std::move(found[i]);
    }
    std::vector<Candidate*> bests;
    for (Open* node : nodes) bests.push_back(&node->best);
    if (split()) {
      parallel_tasks(std::ssize(nodes), [&](std::int64_t i) {
        bests[i]->left_smaller = left_seems_smaller(*nodes[i]);
      });
    }
    choose_best(bests);
    for (Open* node : nodes) node->gain = node->best.score - node->score;
  }

 private:
  bool split() const { return data_.shard().split(); }
  static std::int64_t own_rows(const Open& node) { return node.end - node.begin; }

  void fill(std::span<const HistogramTask> tasks, std::span<std::int64_t> sums) {
    if (!split()) return fill_own(tasks);
    std::vector<HistogramTask> own(tasks.begin(), tasks.end());
    std::vector<std::int64_t*> parts, summed;
    for (auto& task : own) {
      summed.push_back(task.cells);
      parts.push_back(task.cells = buffers_.own.take());
    }
    fill_own(own);
    ranks_.add_up(parts, summed, sums);
    for (std::int64_t* part : parts) buffers_.own.release(part);
  }
  void fill_own(std::span<const HistogramTask> tasks) {
    if (tasks.empty()) return;
    build_histograms(data_, criterion_, features_, tasks, buffers_.scratch);
    build_sparse_histograms(data_, criterion_, features_, tasks);
  }
  std::span<const std::uint32_t> rows_of(const Open& node) const {
    return buffers_.partition.rows(node.begin, node.end);
  }
  // By some of this rank's rows, as all ranks must know before they have counted. Where its rows
  // are unlike the others', the larger child is built from rows, which costs time alone.
  bool left_seems_smaller(const Open& node) const {
    constexpr std::int64_t kAsked = 256;
    if (!node.best.found()) return false;
    const auto rows = rows_of(node);
    const std::int64_t step = std::ssize(rows) / kAsked + 1;
    std::vector<std::uint32_t> some;
    for (std::int64_t i = 0; i < std::ssize(rows); i += step) some.push_back(rows[i]);
    return 2 * separate(data_, node.best.feature, left_bins(data_, node.best), some, some.data()) <=
           std::ssize(some);
  }
  LimitedPair pair_of(const Open& node, std::int32_t feature) const {
    const auto& direction = options_.features.direction;
    return {node.limits, direction.empty() ? 0 : direction[feature]};
  }

  Candidate scan(const Open& node, std::int32_t feature) const {
    if constexpr (HasValues<Criterion>) {
      if (options_.limited) return scan(node, feature, pair_of(node, feature));
    }
    return scan(node, feature, FreePair());
  }

  template <class Pair>
  Candidate scan(const Open& node, std::int32_t feature, const Pair& pair) const {
    const FeatureBins& bins = data_.features()[feature];
    const std::int64_t* cells = cells_of(node, feature);
    if (bins.categorical()) {
      return scan_categories(criterion_, cells, bins.bins, feature, options_.categories, pair);
    }
    if (options_.extra_trees) {
      const Philox places(options_.seed, Stream::thresholds, options_.draw);
      const Philox random(places.bits(node.place), Stream::thresholds);
      return scan_random(criterion_, cells, bins.bins, feature, pair, random.uniform(feature));
    }
    if constexpr (std::is_same_v<Pair, FreePair>) {
      return scan_numeric(criterion_, cells, bins.bins, feature);
    } else {
      return scan_numeric(criterion_, cells, bins.bins, feature, pair);
    }
  }

  // Scans of few cells share a task.
  std::int64_t scan_grain() const {
    const auto features = static_cast<std::int64_t>(data_.features().size());
    return std::max<std::int64_t>(1, kScanCells * features / data_.cells());
  }

  // The exact search has sorted columns where histograms would be; the only batch that is built
  // from rows is the root.
  void build_columns() {
    buffers_.columns.reset(data_, buffers_.partition.rows(), features_);
    if constexpr (HasNewtonRule<Fine>) {
      buffers_.fine.resize(data_.rows());
      constexpr std::int64_t kBlock = 16384;
      parallel_for(data_.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
          buffers_.fine[row] = fine_.statistics()[row].fine;
        }
      });
    }
  }
  void split_columns(std::span<const Family> families) {
    std::vector<SortedColumns::Split> splits;
    for (const auto& family : families) {
      splits.push_back({family.left->columns, rows_of(*family.left), rows_of(*family.right)});
    }
    buffers_.columns.split(splits);
    for (std::size_t i = 0; i < splits.size(); ++i) {
      families[i].left->columns = splits[i].left;
      families[i].right->columns = splits[i].right;
    }
  }

  Candidate scan_rows(const Open& node, std::int32_t feature) const {
    if constexpr (NodeRules<Fine>::kVectors) {
      return {};  // the learner refuses them
    } else {
      if constexpr (HasValues<Fine>) {
        if (options_.limited) return scan_rows(node, feature, pair_of(node, feature));
      }
      return scan_rows(node, feature, FreePair());
    }
  }

  template <class Pair>
  Candidate scan_rows(const Open& node, std::int32_t feature, const Pair& pair) const {
    if (data_.features()[feature].categorical()) {
      return search_categories(data_, fine_, feature, options_.categories, rows_of(node), pair);
    }
    const auto rows = buffers_.columns.rows(node.columns, feature);
    const bool has_missing = data_.has_missing(feature);
    if constexpr (HasNewtonRule<Fine> && std::is_same_v<Pair, FreePair>) {
      if (fine_.rule().max_delta_step == 0.0) {
        return search_exact_newton({Fine::parts(node.total), fine_.units(), fine_.rule()},
                                   buffers_.fine, feature, rows, has_missing);
      }
    }
    return search_exact(fine_, feature, rows, has_missing, node.total, pair);
  }

  static constexpr std::int64_t kPoolBytes = std::int64_t{512} << 20;  // of all histograms
  static constexpr std::int64_t kCellBlock = 8192;
  static constexpr std::int64_t kScanCells = 2048;  // a scan of so many is worth a task

  const BinnedData& data_;
  const Criterion& criterion_;
  const Fine& fine_;
  const GrowOptions& options_;
  std::span<const std::int32_t> features_;
  FeatureChoice choice_;
  GrowBuffers& buffers_;
  RankCells ranks_;
};

}  // namespace gradatim::boost
