// A tree as a member of an ensemble, and trees as arrays of a model file.
#pragma once

#include <memory>
#include <span>

#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

class TreeMember final : public Member {
 public:
  explicit TreeMember(Tree tree) : tree_(std::move(tree)) {}

  const Tree& tree() const { return tree_; }
  Tree& tree() { return tree_; }
  int outputs() const override { return tree_.outputs; }
  bool needs_values() const override { return tree_.slopes.any(); }
  void predict(const RowBlock& rows, double* out) const override;
  void predict(const BinnedData& data, std::int64_t begin, std::int64_t end,
               double* out) const override;
  void predict_all(const BinnedData& data, double* out) const override;
  void shrink(double rate, const Grid& grid) override;

 private:
  Tree tree_;
};

/// Arrays "tree.*": nodes of all trees one after the other; "tree.first" [trees + 1] says where
/// each begins, children and category words are counted from the tree's own beginning. Where a leaf
/// has slopes, "tree.first_slope" [nodes + 1], "tree.slope_feature", "tree.slope",
/// "tree.intercept" [nodes] and "tree.step" [trees].
void store_trees(std::span<const std::unique_ptr<Member>> members, SafetensorsWriter& file);
/// Checks every feature, child, word and value. ModelError GRD-3010.
Members load_trees(const SafetensorsFile& file, std::span<const FeatureBins> features);

}  // namespace gradatim::boost
