// Forest: the trees of an ensemble, laid out for prediction. What it says of a row is what
// Tree::find says, to the bit.
//
// The life of a forest:
//  1. It is made once from all trees of a model, in their order. Small trees become codes
//     (tree_code.h) in groups, a group as long as a byte can rank every feature's thresholds.
//  2. A batch comes in strips of rows, column by column. For each group the strip's features become
//     byte planes (planes.h), and every tree of the group finds the leaves of all rows by them.
//  3. Slopes of leaves are read from the trees themselves, which must outlive the forest.
//  4. Trees with too many leaves for a byte, and rows that come alone, are walked (walk.h).
// A forest never changes, so any number of threads may ask it, each with a Strip of its own.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/predict/planes.h"
#include "gradatim/boost/predict/tree_code.h"
#include "gradatim/boost/predict/walk.h"

namespace gradatim::boost {

/// Up to kStrip rows of raw features: numbers, bins of categories, NaN where missing.
struct Strip {
  explicit Strip(std::int64_t feature_count)
      : features(feature_count), cells(feature_count * kStrip) {}
  std::span<double> column(std::int64_t feature) {
    return std::span(cells).subspan(feature * kStrip, rows);
  }

  std::int64_t features;
  std::vector<double> cells;  // [features][kStrip]
  int rows = 0;
};

class Forest {
 public:
  explicit Forest(std::span<const Tree* const> trees);

  std::int64_t trees() const { return walk_.trees(); }
  /// Of each tree, the same for all.
  int outputs() const { return walk_.outputs(); }
  /// Doubles that the sums of a strip take, where an ensemble has `columns` of them a row.
  std::size_t sums(int columns) const {
    return std::size_t{kStrip} * std::max(columns, vector_stride(outputs()));
  }
  /// Where in them column `k` of row `i` lies: [columns][kStrip], or with trees of several outputs
  /// [kStrip][vector_stride].
  std::size_t at(int i, int k) const {
    const int stride = vector_stride(outputs());
    return stride == 0 ? std::size_t{kStrip} * k + i : std::size_t(i) * stride + k;
  }
  /// The features that a tree looks at, ascending.
  const std::vector<std::int32_t>& features() const { return features_; }

  /// Buffers of a thread.
  class Scratch {
    friend class Forest;
    PlaneBytes planes_;
    std::int64_t group_ = -1;  // that the planes are of
  };

  /// Forgets the strip that the scratch has planes of.
  static void begin_strip(Scratch& scratch) { scratch.group_ = -1; }
  /// Adds the values of trees [first, last), tree by tree: to column tree mod `columns`, or those
  /// of several outputs to all columns. Calls with the same strip make its planes once a group.
  void add(const Strip& strip, std::int64_t first, std::int64_t last, int columns, double* sum,
           Scratch& scratch) const;
  /// Calls f(tree, values) for one row of features, in order, with float or double values;
  /// allocates nothing.  // values: [outputs]
  template <class F>
  void each_of_row(const double* features, std::int64_t first, std::int64_t last, F&& f) const {
    walk_.row(features, first, last, [&](std::int64_t tree, std::uint32_t place) {
      if (!sloped(tree)) return f(tree, walk_.values_of(place));
      const double value = sloped_[tree]->linear_value(
          walk_.node_of(tree, place), [&](std::int32_t feature) { return features[feature]; });
      return f(tree, &value);
    });
  }

 private:
  // A code and the group that its planes are in; group -1: the tree is walked.
  struct Coded {
    TreeCode code;
    std::int64_t group = -1;
  };
  void add_few(const Strip& strip, std::int64_t first, std::int64_t last, int columns,
               double* sum) const;
  bool sloped(std::int64_t tree) const { return !sloped_.empty() && sloped_[tree] != nullptr; }
  void add_sloped(const Strip& strip, std::int64_t tree, const std::uint8_t* leaf,
                  double* sum) const;

  std::vector<std::int32_t> features_;
  std::vector<Planes> groups_;
  std::vector<Coded> codes_;
  std::vector<const Tree*> sloped_;  // null where leaves are constant; empty where all are
  Walk walk_;
};

}  // namespace gradatim::boost
