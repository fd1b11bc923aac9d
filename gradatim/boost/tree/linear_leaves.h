// Leaves that hold a linear model of the numeric features on their path.
//
// In a leaf with gradients g and hessians h, x_ the mean of its features weighted by h, and c what
// the constant leaf would be,
//   f(x) = c + w (x - x_),    w = argmin sum g w (x - x_) + h (w (x - x_))^2 / 2 + lambda |w|^2 / 2
// which is ridge regression of the steps -g/h; c and w are independent of each other. Sums are over
// rows without missing cells in the leaf's features; rows with one get the leaf's constant. Where
// there are not more rows than features, the leaf stays constant; a feature that is constant in the
// leaf, or a combination of those before it, gets no slope.
// Shi, Li and Li (2019), Gradient boosting with piece-wise linear regression trees; LightGBM's
// linear_tree. Unlike there, lambda and alpha of the tree act on c.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/statistics.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/boost/tree/tree.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

class LinearLeaves {
 public:
  /// `table` holds the features that the bins are of.
  LinearLeaves(std::span<const FeatureBins> features, const data::Table& table,
               double linear_lambda)
      : features_(features), table_(table), lambda_(linear_lambda), cells_(features.size()) {}

  /// Gives the leaves of a tree their slopes; `rule` says what their constants are.
  void fit(Tree& tree, std::span<const LeafRows> leaves, const Statistics& statistics,
           const NewtonRule& rule);
  /// scores[row] += what a leaf of the last tree says of the row; gives whether the size of all
  /// these scores is then below `limit`.
  bool add(const Tree& tree, std::int32_t node, std::span<const std::uint32_t> rows, double limit,
           std::span<double> scores) const;

 private:
  struct Model;
  void read(const std::vector<Model>& models);
  void solve(Model& model, const NewtonRule& rule, const Units& units) const;
  static void write(Tree& tree, const std::vector<Model>& models);

  std::span<const FeatureBins> features_;
  const data::Table& table_;
  double lambda_;
  std::vector<std::vector<double>> cells_;  // [features][rows]; empty where no tree asked yet
};

/// Solves a w = b for a symmetric positive semidefinite a, [size, size], by Cholesky's method in
/// the order of rows; what depends on rows before gets 0.
std::vector<double> solve_semidefinite(std::vector<double> a, std::span<const double> b);

}  // namespace gradatim::boost
