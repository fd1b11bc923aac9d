#include "gradatim/boost/predict/bin_tree.h"

#include <algorithm>
#include <limits>

#include "gradatim/boost/predict/find_leaves.h"
#include "gradatim/boost/predict/planes.h"

namespace gradatim::boost {
namespace {

constexpr int kSetsAPlane = 7;

}  // namespace

bool BinTree::suits(const Tree& tree, const BinnedData& data) {
  if (!encodes(tree)) return false;
  return std::all_of(tree.nodes.begin(), tree.nodes.end(), [&](const Node& node) {
    if (node.leaf()) return true;
    // Present against missing has no split bin that present rows lie below.
    const bool below = node.categorical || node.missing_left || node.split_bin >= 0;
    return below && !data.sparse(node.feature) && data.column(node.feature).width <= 2;
  });
}

BinTree::BinTree(const Tree& tree, const BinnedData& data)
    : data_(data), outputs_(static_cast<std::size_t>(tree.outputs)) {
  code_ = encode(tree, [&](const Node& node) { return condition_of(tree, node); });
}

Condition BinTree::condition_of(const Tree& tree, const Node& node) {
  return node.categorical ? category_condition(tree, node) : number_condition(tree, node);
}

std::vector<std::int32_t> BinTree::split_bins(const Tree& tree, std::int32_t feature) const {
  std::vector<std::int32_t> bins;
  for (const Node& node : tree.nodes) {
    if (!node.leaf() && node.feature == feature) bins.push_back(node.split_bin);
  }
  std::sort(bins.begin(), bins.end());
  bins.erase(std::unique(bins.begin(), bins.end()), bins.end());
  return bins;
}

// At most 255 nodes ask, so that ranks fill a byte. A missing cell that goes right is above every
// split bin as it is; one that goes left has rank 0, and a node that sends all present rows right
// (split bin -1, the lowest of `asked`) has them at rank 1 and more.
Condition BinTree::number_condition(const Tree& tree, const Node& node) {
  const FeatureBins& bins = data_.features()[node.feature];
  const bool narrow = data_.column(node.feature).width == 1;
  const auto [found, made] =
      numbers_.try_emplace({node.feature, node.missing_left}, planes_.size());
  if (made) {
    planes_.push_back({node.feature, node.missing_left ? bins.missing_bin() : -1, {}});
  }
  Plane& plane = planes_[found->second];
  const auto at = static_cast<std::uint32_t>(found->second * kStrip);
  if (narrow) {
    const std::int32_t zero = node.missing_left ? 127 : 128;
    return {.plane = at, .bound = four_times(static_cast<std::uint32_t>(node.split_bin - zero))};
  }
  const auto asked = split_bins(tree, node.feature);
  if (made) {
    for (std::int32_t bin = 0; bin <= bins.missing_bin(); ++bin) {
      const auto below = std::lower_bound(asked.begin(), asked.end(), bin) - asked.begin();
      const bool missing = bin == bins.missing_bin() && node.missing_left;
      plane.bytes.push_back(static_cast<std::uint8_t>((missing ? 0 : below) - 128));
    }
  }
  const auto j = std::lower_bound(asked.begin(), asked.end(), node.split_bin) - asked.begin();
  return {.plane = at, .bound = four_times(static_cast<std::uint32_t>(j - 128))};
}

Condition BinTree::category_condition(const Tree& tree, const Node& node) {
  const std::int32_t missing = data_.features()[node.feature].missing_bin();
  const auto found = categories_.find(node.feature);
  if (found == categories_.end() || planes_[found->second].sets == kSetsAPlane) {
    categories_[node.feature] = planes_.size();
    planes_.push_back({node.feature, -1, std::vector<std::uint8_t>(missing + 1)});
  }
  const std::size_t place = categories_[node.feature];
  Plane& plane = planes_[place];
  const auto bit = 1U << plane.sets++;
  for (std::int32_t bin = 0; bin <= missing; ++bin) {
    const double code = bin == missing ? std::numeric_limits<double>::quiet_NaN() : bin;
    if (!tree.goes_left(node, code)) plane.bytes[bin] |= static_cast<std::uint8_t>(bit);
  }
  return {.plane = static_cast<std::uint32_t>(place * kStrip), .mask = four_times(bit)};
}

void BinTree::fill(const Plane& plane, std::int64_t begin, int rows, std::int8_t* out) const {
  const BinColumn& column = data_.column(plane.feature);
  if (plane.bytes.empty()) {
    return shift_bins(column.as<std::uint8_t>() + begin, rows, plane.missing, out);
  }
  visit_column(column, [&](const auto* bins) {
    for (int i = 0; i < rows; ++i) out[i] = static_cast<std::int8_t>(plane.bytes[bins[begin + i]]);
  });
}

void BinTree::predict(std::int64_t begin, std::int64_t end, double* out) const {
  PlaneBytes bytes;
  bytes.resize(std::max<std::int64_t>(1, static_cast<std::int64_t>(planes_.size())));
  alignas(64) std::uint8_t leaf[kStrip];
  alignas(64) double value[kStrip];
  for (std::int64_t at = begin; at < end; at += kStrip) {
    const auto rows = static_cast<int>(std::min<std::int64_t>(kStrip, end - at));
    for (std::size_t p = 0; p < planes_.size(); ++p) {
      fill(planes_[p], at, rows, bytes.data() + p * kStrip);
    }
    find_leaves(code_, bytes.data(), leaf);
    if (outputs_ > 1) {
      for (int i = 0; i < rows; ++i) {
        const float* values = code_.values.data() + std::ptrdiff_t{leaf[i]} * code_.stride;
        std::copy_n(values, outputs_, out + (at - begin + i) * outputs_);
      }
      continue;
    }
    std::fill_n(value, kStrip, 0.0);
    add_leaves(code_, leaf, value);
    std::copy_n(value, rows, out + (at - begin));
  }
}

}  // namespace gradatim::boost
