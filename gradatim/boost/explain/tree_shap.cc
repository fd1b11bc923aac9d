#include "gradatim/boost/explain/tree_shap.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/gauss_legendre.h"

namespace gradatim::boost {
namespace {

// An edge of a path, and the share of training rows that its feature's edges up to it let by.
struct Step {
  std::int32_t feature = 0;
  double z = 1.0;
};

// The share of a node's rows that went to a child; halves where there were none.
double share(const Tree& tree, const Node& node, std::int32_t child) {
  const auto rows = [&](std::int32_t at) { return static_cast<double>(tree.nodes[at].count); };
  const double both = rows(node.left) + rows(node.left + 1);
  return both > 0.0 ? rows(child) / both : 0.5;
}

// The longest path, in edges.
int depth_of(const Tree& tree) {
  std::vector<int> depth(tree.nodes.size());
  for (std::size_t at = 0; at < depth.size(); ++at) {  // children come after their parent
    const Node& node = tree.nodes[at];
    if (!node.leaf()) depth[node.left] = depth[node.left + 1] = depth[at] + 1;
  }
  return *std::ranges::max_element(depth);
}

// The most features on a path.
int most_features(const Tree& tree, std::int32_t at, std::vector<std::int32_t>& path) {
  const Node& node = tree.nodes[at];
  if (node.leaf()) return static_cast<int>(path.size());
  const bool seen = std::ranges::find(path, node.feature) != path.end();
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

std::int64_t TreeShap::size_of(const Tree& tree) {
  return std::ssize(tree.nodes) * (8 + 2 * depth_of(tree));
}

TreeShap::TreeShap(const Tree& tree, std::span<const std::int32_t> places, Of of)
    : tree_(&tree), places_(places), of_(of), depth_(depth_of(tree)) {
  constexpr int kDeepest = 4096;
  constexpr std::int64_t kMost = 1 << 17;  // numbers of a level of a row, over all levels
  std::vector<std::int32_t> features;
  const int most = depth_ > kDeepest ? depth_ : most_features(tree, 0, features);
  const int count = std::max(1, (most + 1) / 2);
  GRADATIM_CHECK(depth_ <= kDeepest && std::int64_t{depth_} * count <= kMost, NumericError, 4034,
                 "a tree of depth {} asks for up to {} features on one path, too many for "
                 "contributions; limit max_depth",
                 depth_, most);
  const Quadrature rule = gauss_legendre(count);
  at_ = rule.at;
  weights_ = rule.weight;
  for (const double t : at_) shares_out_.push_back(-1.0 / (1.0 - t));
  for (const std::int32_t place : places) count_ = std::max<std::int64_t>(count_, place + 1);
  edges_.resize(tree.nodes.size());
  constants_.resize(tree.nodes.size() * stride());
  expected_.resize(tree.outputs);
  Path path;
  visit(0, path);
}

void TreeShap::visit(std::int32_t at, Path& path) {
  const Node& node = tree_->nodes[at];
  if (node.leaf()) {
    for (int k = 0; k < tree_->outputs; ++k) {
      expected_[k] += path.weight * double{tree_->value(at, k)};
    }
    return;
  }
  ShapEdge edge{.place = places_[node.feature]};
  double z_above = 1.0;
  for (std::size_t d = path.steps.size(); d > 0; --d) {
    const Step& step = path.steps[d - 1];
    const bool own = step.feature == node.feature;
    if (own && edge.above == 0) {
      edge.above = static_cast<std::int32_t>(d);
      z_above = step.z;
      if (of_ == Of::features) break;
    }
    if (own || of_ == Of::features) continue;
    const bool last =
        std::none_of(path.steps.begin() + static_cast<std::ptrdiff_t>(d), path.steps.end(),
                     [&](const Step& below) { return below.feature == step.feature; });
    if (last) edge.others.push_back(static_cast<std::int32_t>(d));
  }
  for (const std::int32_t child : {node.left, node.left + 1}) {
    const double part = share(*tree_, node, child);
    edge.both_out = part;
    edges_[child] = edge;
    set_constants(child, z_above * part, z_above);
    const double weight = path.weight;
    path.weight *= part;
    path.steps.push_back({node.feature, z_above * part});
    visit(child, path);
    path.steps.pop_back();
    path.weight = weight;
  }
}

// (o - z) / f is (1 - z) / in for o = 1 and -1 / (1 - t) for o = 0, whatever z.
void TreeShap::set_constants(std::int32_t child, double z, double z_above) {
  double* constants = constants_.data() + child * stride();
  for (int q = 0; q < points(); ++q) {
    const double t = at_[q], out = (1.0 - t) * z, in = t + out;
    const double in_above = t + (1.0 - t) * z_above;
    const double of_above = (1.0 - z_above) / in_above;
    constants[q] = in / in_above;
    constants[points() + q] = out / in_above;
    constants[2 * points() + q] = (1.0 - z) / in - of_above;
    constants[3 * points() + q] = shares_out_[q] - of_above;
    if (of_ == Of::pairs) constants[4 * points() + q] = (1.0 - z) / in;
  }
}

}  // namespace gradatim::boost
