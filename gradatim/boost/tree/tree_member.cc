#include "gradatim/boost/tree/tree_member.h"

#include <algorithm>

#include "gradatim/boost/predict/bin_tree.h"

namespace gradatim::boost {
namespace {

// The leaf of one row of bins. Numeric missing bins lie above every split bin, so they are asked
// for first.
const Node& find_by_bins(const Tree& tree, const BinnedData& data, std::int64_t row) {
  const Node* node = tree.nodes.data();
  while (!node->leaf()) {
    const std::int32_t bin = data.bin(node->feature, row);
    bool left = false;
    if (bin == data.features()[node->feature].missing_bin()) {
      left = node->missing_left;
    } else if (node->categorical) {
      left = (tree.category_words[node->first_word + (bin >> 5)] >> (bin & 31) & 1U) != 0;
    } else {
      left = bin <= node->split_bin;
    }
    node = tree.nodes.data() + node->left + (left ? 0 : 1);
  }
  return *node;
}

void put(const Tree& tree, const Node& leaf, double* out) {
  const auto node = static_cast<std::int32_t>(&leaf - tree.nodes.data());
  for (int k = 0; k < tree.outputs; ++k) out[k] = double{tree.value(node, k)};
}

}  // namespace

void TreeMember::predict(const RowBlock& rows, double* out) const {
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    if (tree_.slopes.any()) {
      const double* row = rows.row(i);
      const auto leaf = static_cast<std::int32_t>(&tree_.find(row) - tree_.nodes.data());
      out[i] = tree_.linear_value(leaf, [&](std::int32_t feature) { return row[feature]; });
      continue;
    }
    put(tree_, tree_.find(rows.row(i)), out + i * tree_.outputs);
  }
}

void TreeMember::predict(const BinnedData& data, std::int64_t begin, std::int64_t end,
                         double* out) const {
  for (std::int64_t row = begin; row < end; ++row) {
    put(tree_, find_by_bins(tree_, data, row), out + (row - begin) * tree_.outputs);
  }
}

void TreeMember::predict_all(const BinnedData& data, double* out) const {
  constexpr std::int64_t kBlock = 4096;
  constexpr std::int64_t kFewRows = 1024;  // for which a code is not worth its making
  if (data.rows() < kFewRows || !BinTree::suits(tree_, data)) {
    return Member::predict_all(data, out);
  }
  const BinTree code(tree_, data);
  parallel_for(data.rows(), kBlock, [&](std::int64_t begin, std::int64_t end) {
    code.predict(begin, end, out + begin * tree_.outputs);
  });
}

void TreeMember::shrink(double rate, const Grid& grid) {
  for (Node& node : tree_.nodes) {
    if (node.leaf()) node.value = grid.round(rate * double{node.value});
  }
  for (float& value : tree_.vectors) value = grid.round(rate * double{value});
  if (!tree_.slopes.any()) return;
  for (Slopes::Term& term : tree_.slopes.all) term.weight *= rate;
  for (double& intercept : tree_.slopes.intercept) intercept *= rate;
  tree_.slopes.step = grid.step;
}

}  // namespace gradatim::boost
