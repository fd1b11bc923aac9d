// TreeShap: what each feature adds to what a tree says of a row, exactly (Shapley values).
//
// The game: a coalition of features decides by the row's cells, and where another feature is asked,
// both children answer, weighted by their training rows. Lundberg, Erion and Lee (2018), Consistent
// Individualized Feature Attribution for Tree Ensembles (there path-dependent).
//
// A leaf of value v is a product over the features j of its path: o_j says whether the row's cell
// leads there (0 or 1), z_j is the share of training rows. With f_j(t) = t o_j + (1 - t) z_j,
//
//   phi_i = v (o_i - z_i) int_0^1 prod_{j != i} f_j(t) dt,
//
// since Shapley's weight |S|! (M - 1 - |S|)! / M! of a coalition S is int t^|S| (1 - t)^(M-1-|S|)
// dt. The integrand is a polynomial, so that Gauss and Legendre's rule with half as many points as
// features is exact. Products go down the tree, sums of leaves come up, and an edge adds to its
// feature what its leaves hold times (o - z) / f, less the same of the feature's edge above. So a
// row costs nodes times points, where the cited algorithm takes leaves times depth squared.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/boost/predict/forest.h"
#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

/// An edge from a node to a child, at every point t of the rule. In each array the row's cell
/// follows this edge and the feature's one above (1), only that one (2), or neither.
struct ShapEdge {
  std::int32_t feature = 0;
  std::int32_t above = 0;  // depth of the feature's edge above; 0 where there is none
  double both_out = 1.0;   // neither: f / f above
};

class TreeShap {
 public:
  static constexpr int kRows = 32;  // of a strip, at once

  /// The tree must outlive this, and has no slopes.
  explicit TreeShap(const Tree& tree);

  /// What the tree says of no row in particular: the mean of its leaves by training rows.
  double expected(int output) const { return expected_[output]; }

  /// Buffers of a thread.
  class Scratch {
   public:
    /// Room for so many levels of so many doubles each; of any content.
    double* levels(std::size_t doubles) {
      if (doubles_.size() < doubles) doubles_.resize(doubles);
      return doubles_.data();
    }

   private:
    std::vector<double> doubles_;
  };

  /// Adds the values of a strip's rows for one output.  // phi: [features of the strip][kStrip]
  void add(const Strip& strip, int output, double* phi, Scratch& scratch) const;

  /// For the kernel.
  const Tree& tree() const { return *tree_; }
  int points() const { return static_cast<int>(weights_.size()); }
  int depth() const { return depth_; }
  const double* weights() const { return weights_.data(); }
  const ShapEdge& edge(std::int32_t child) const { return edges_[child]; }
  /// [points] factors of the product: both edges followed; only the one above.
  const double* ratios(std::int32_t child) const { return constants_.data() + child * stride(); }
  /// [points] of (o - z) / f less that of the edge above, likewise.
  const double* gains(std::int32_t child) const { return ratios(child) + 2 * points(); }

 private:
  std::size_t stride() const { return std::size_t{4} * weights_.size(); }
  struct Path;
  void visit(std::int32_t node, Path& path);

  const Tree* tree_;
  int depth_ = 0;
  std::vector<double> at_, weights_;  // [points]
  std::vector<ShapEdge> edges_;       // [nodes] the edge to each but the root
  std::vector<double> constants_;     // [nodes][4][points]
  std::vector<double> expected_;      // [outputs]
};

}  // namespace gradatim::boost
