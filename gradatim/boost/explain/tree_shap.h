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
// feature what its leaves hold times (o - z) / f, less the same of the feature's edge above, as in
// Linear TreeShap (Yu, Xu, Bifet and Read, 2022), which interpolates polynomials. A row costs nodes
// times points; the first algorithm took leaves times depth squared.
//
// Pairs are the same with two factors left out of the product, which an edge adds for its feature
// and every other one above it: Shapley's interaction index (Fujimoto, Kojadinovic and Marichal,
// 2006), at depth times the cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/predict/forest.h"
#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

/// An edge from a node to a child. A row's cell may follow this edge and the feature's one above,
/// only that one, or neither.
struct ShapEdge {
  std::int32_t place = 0;            // of the feature in what is filled
  std::int32_t above = 0;            // depth of the feature's edge above; 0 where there is none
  double both_out = 1.0;             // neither: f / f above
  std::vector<std::int32_t> others;  // for pairs: depths of every other feature's last edge above
};

class TreeShap {
 public:
  static constexpr int kRows = 32;  // of a strip, at once

  enum class Of { features, pairs };

  /// Feature f is put to places[f]. The tree must outlive this, and has no slopes. NumericError
  /// GRD-4034 where it is too deep to be explained.
  TreeShap(const Tree& tree, std::span<const std::int32_t> places, Of of);

  /// What the tree says of no row in particular: the mean of its leaves by training rows.
  double expected(int output) const { return expected_[output]; }
  /// Doubles that it holds, about.
  static std::int64_t size_of(const Tree& tree);

  /// Buffers of a thread.
  class Scratch {
   public:
    /// Room for so many doubles, of any content.
    double* levels(std::size_t doubles) {
      if (doubles_.size() < doubles) doubles_.resize(doubles);
      return doubles_.data();
    }

   private:
    std::vector<double> doubles_;
  };

  /// Adds the values of a strip's rows for one output.  // phi: [places][kStrip]
  void add(const Strip& strip, int output, double* phi, Scratch& scratch) const;
  /// Adds what pairs of features do together, of kRows rows from `first` on; only pairs whose first
  /// place is the lower one.  // pairs: [places][places][kRows]
  void add_pairs(const Strip& strip, int first, int output, double* pairs, Scratch& scratch) const;

  /// For the kernel.
  const Tree& tree() const { return *tree_; }
  int points() const { return static_cast<int>(weights_.size()); }
  int depth() const { return depth_; }
  std::int64_t places() const { return count_; }
  const double* weights() const { return weights_.data(); }
  const ShapEdge& edge(std::int32_t child) const { return edges_[child]; }
  /// [points] factors of the product: both edges followed; only the one above.
  const double* ratios(std::int32_t child) const { return constants_.data() + child * stride(); }
  /// [points] of (o - z) / f less that of the edge above, likewise.
  const double* gains(std::int32_t child) const { return ratios(child) + 2 * points(); }
  /// For pairs, [points] of (o - z) / f: both edges followed; otherwise, of any edge.
  const double* shares(std::int32_t child) const { return ratios(child) + 4 * points(); }
  const double* shares_out() const { return shares_out_.data(); }

 private:
  std::size_t stride() const { return (of_ == Of::pairs ? 5 : 4) * weights_.size(); }
  struct Path;
  void visit(std::int32_t node, Path& path);
  void set_constants(std::int32_t child, double z, double z_above);

  const Tree* tree_;
  std::span<const std::int32_t> places_;
  std::int64_t count_ = 0;
  Of of_;
  int depth_ = 0;
  std::vector<double> at_, weights_, shares_out_;  // [points]
  std::vector<ShapEdge> edges_;                    // [nodes] the edge to each but the root
  std::vector<double> constants_;                  // [nodes][4, of pairs 5][points]
  std::vector<double> expected_;                   // [outputs]
};

}  // namespace gradatim::boost
