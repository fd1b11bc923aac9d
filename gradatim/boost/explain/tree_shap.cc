#include "gradatim/boost/explain/tree_shap.h"

#include <algorithm>

#include "gradatim/core/gauss_legendre.h"

namespace gradatim::boost {
namespace {

// The edges from the root on, each with the share of training rows that its feature's edges let by.
struct Step {
  std::int32_t feature = 0;
  double z = 1.0;
};

// The share of a node's rows that went to a child; halves where there were none.
double share(const Tree& tree, const Node& node, std::int32_t child) {
  if (node.count <= 0) return 0.5;
  return static_cast<double>(tree.nodes[child].count) / static_cast<double>(node.count);
}

int most_features(const Tree& tree, std::int32_t at, std::vector<std::int32_t>& path) {
  const Node& node = tree.nodes[at];
  if (node.leaf()) return static_cast<int>(path.size());
  const bool seen = std::find(path.begin(), path.end(), node.feature) != path.end();
  if (!seen) path.push_back(node.feature);
  const int most =
      std::max(most_features(tree, node.left, path), most_features(tree, node.left + 1, path));
  if (!seen) path.pop_back();
  return most;
}

}  // namespace

struct TreeShap::Path {
  std::vector<Step> steps;  // by depth, from 1 on
  double weight = 1.0;      // share of all rows
};

TreeShap::TreeShap(const Tree& tree) : tree_(&tree) {
  std::vector<std::int32_t> features;
  const Quadrature rule = gauss_legendre(std::max(1, (most_features(tree, 0, features) + 1) / 2));
  at_ = rule.at;
  weights_ = rule.weight;
  edges_.resize(tree.nodes.size());
  constants_.resize(tree.nodes.size() * stride());
  expected_.resize(tree.outputs);
  Path path;
  visit(0, path);
}

void TreeShap::visit(std::int32_t at, Path& path) {
  const Node& node = tree_->nodes[at];
  depth_ = std::max(depth_, static_cast<int>(path.steps.size()));
  if (node.leaf()) {
    for (int k = 0; k < tree_->outputs; ++k) {
      expected_[k] += path.weight * double{tree_->value(at, k)};
    }
    return;
  }
  for (const std::int32_t child : {node.left, node.left + 1}) {
    ShapEdge& edge = edges_[child];
    edge.feature = node.feature;
    double z_above = 1.0;
    for (std::size_t d = path.steps.size(); d > 0 && edge.above == 0; --d) {
      if (path.steps[d - 1].feature != node.feature) continue;
      edge.above = static_cast<std::int32_t>(d);
      z_above = path.steps[d - 1].z;
    }
    const double part = share(*tree_, node, child);
    const double z = z_above * part;
    edge.both_out = part;
    double* constants = constants_.data() + child * stride();
    for (int q = 0; q < points(); ++q) {
      const double t = at_[q], out = (1.0 - t) * z, in = t + out;
      const double in_above = t + (1.0 - t) * z_above;
      // (o - z) / f is (1 - z) / in for o = 1 and -1 / (1 - t) for o = 0, whatever z.
      const double of_above = (1.0 - z_above) / in_above;
      constants[q] = in / in_above;
      constants[points() + q] = out / in_above;
      constants[2 * points() + q] = (1.0 - z) / in - of_above;
      constants[3 * points() + q] = -1.0 / (1.0 - t) - of_above;
    }
    const double weight = path.weight;
    path.weight *= part;
    path.steps.push_back({node.feature, z});
    visit(child, path);
    path.steps.pop_back();
    path.weight = weight;
  }
}

}  // namespace gradatim::boost
