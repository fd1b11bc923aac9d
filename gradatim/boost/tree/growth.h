// What growing a tree is told, and what it works on: options, buffers, and the open nodes.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/histogram_pool.h"
#include "gradatim/boost/tree/partition.h"
#include "gradatim/boost/tree/rank_cells.h"
#include "gradatim/boost/tree/sorted_columns.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

enum class GrowPolicy { depthwise, lossguide, symmetric };

/// What is said of single features; a vector is empty where nothing is.
struct FeatureRules {
  std::vector<std::int8_t> direction;             // [features]: 1 rises, -1 falls, 0 is free
  std::vector<std::vector<std::int32_t>> groups;  // that may meet on a path; ascending
  std::vector<double> weight;                     // [features], of being drawn
};

struct GrowOptions {
  std::int32_t max_depth = 6;   // 0 is unlimited
  std::int32_t max_leaves = 0;  // 0 is unlimited
  double min_split_gain = 0.0;
  GrowPolicy grow_policy = GrowPolicy::depthwise;
  CategoryRule categories;
  FeatureRules features;
  bool limited = false;  // values depend on the place: monotone bounds or path smoothing
  bool extra_trees = false;
  std::int32_t speculation = 0;    // lossguide: leaves split at a time; 0 chooses
  double colsample_bylevel = 1.0;  // of the tree's features
  double colsample_bynode = 1.0;   // of the level's
  std::uint64_t seed = 0;          // of the draws
  std::uint32_t draw = 0;          // (round, output)
};

/// Training rows of one leaf.
struct LeafRows {
  std::int32_t node = 0;
  std::span<const std::uint32_t> rows;
};

/// Buffers that live as long as a fit, and the rows and limits of the last tree.
struct GrowBuffers {
  RowPartition partition;
  HistogramPool pool;
  HistogramPool own;  // with several ranks: of this rank's rows, until they are added up
  CellsOnTheWay on_the_way;
  std::vector<std::vector<std::int64_t>> scratch;
  SortedColumns columns;   // of the exact search
  std::vector<Fine> fine;  // of every row, side by side for it
  std::vector<LeafRows> leaves;
  std::vector<Limits> limits;  // of each node, where values are limited
};

template <class Sum>
struct Expansion;

/// A leaf that may still be split.
template <class Sum>
struct OpenNode {
  std::int32_t node = 0;
  std::int32_t depth = 0;
  std::uint64_t place = 1;  // in the tree, whatever the order of growth: 2 place (+ 1) in children
  std::int64_t begin = 0;   // of this rank's rows
  std::int64_t end = 0;
  std::int64_t count = 0;  // rows of all ranks, once settled (node_rules.h)
  Sum total;               // likewise
  Sum own_total;           // of this one, where there are several
  Limits limits;
  double value = 0.0;
  double score = 0.0;
  std::int64_t* histogram = nullptr;
  std::int32_t columns =
      0;  // exact: which node of the sorted columns; a new child has its parent's
  std::vector<std::int32_t> path;  // features of the splits above, where groups are said
  Candidate best;
  double gain = 0.0;  // by ranking statistics
  std::unique_ptr<Expansion<Sum>> expansion;

  std::int64_t rows() const { return count; }
};

/// What its best split makes of a node.
template <class Sum>
struct Expansion {
  bool stands = false;  // by fine sums; otherwise the node is a leaf
  double gain = 0.0;
  OpenNode<Sum> left, right;
};

}  // namespace gradatim::boost
