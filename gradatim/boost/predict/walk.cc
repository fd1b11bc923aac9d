#include "gradatim/boost/predict/walk.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "gradatim/boost/predict/tree_code.h"

namespace gradatim::boost {
namespace {

std::int32_t depth_of(const Tree& tree) {
  std::vector<std::int32_t> depth(tree.nodes.size());  // children come after their parent
  std::int32_t most = 0;
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    const Node& node = tree.nodes[n];
    most = std::max(most, depth[n]);
    if (!node.leaf()) depth[node.left] = depth[node.left + 1] = depth[n] + 1;
  }
  return most;
}

}  // namespace

void Walk::add(const Tree& tree) {
  const auto root = static_cast<std::uint32_t>(steps_.size());
  const auto first_word = static_cast<std::uint32_t>(words_.size());
  roots_.push_back(root);
  depths_.push_back(depth_of(tree));
  outputs_ = tree.outputs;
  stride_ = vector_stride(outputs_);
  for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
    const Node& node = tree.nodes[n];
    Step step{.threshold = node.threshold,
              .feature = static_cast<std::uint32_t>(node.feature) |
                         (node.missing_left ? 0 : kMissingRight),
              .left = root + static_cast<std::uint32_t>(node.left)};
    if (node.leaf()) {
      step = {std::numeric_limits<double>::quiet_NaN(), 0,
              static_cast<std::uint32_t>(steps_.size())};
    } else if (node.categorical) {
      categorical_ = true;
      step.feature |= kCategorical;
      step.threshold =
          std::bit_cast<double>(Words{first_word + static_cast<std::uint32_t>(node.first_word),
                                      static_cast<std::uint32_t>(node.words)});
    }
    if (!node.leaf()) {
      features_ = std::max(features_, static_cast<std::uint32_t>(node.feature) + 1);
    }
    steps_.push_back(step);
    if (stride_ == 0) {
      values_.push_back(node.value);
    } else {
      add_leaf(tree, static_cast<std::int32_t>(n));
    }
  }
  words_.insert(words_.end(), tree.category_words.begin(), tree.category_words.end());
}

void Walk::add_leaf(const Tree& tree, std::int32_t node) {
  leaf_.push_back(static_cast<std::uint32_t>(values_.size() / stride_));
  if (!tree.nodes[node].leaf()) return;
  for (int k = 0; k < outputs_; ++k) values_.push_back(tree.value(node, k));
  values_.resize(values_.size() + stride_ - outputs_);
}

bool Walk::category_goes_right(const Step& step, double x) const {
  const auto words = std::bit_cast<Words>(step.threshold);
  const bool missing_right = step.feature >= kMissingRight;
  if (!(x > -1.0 && x < 0x1p31)) return missing_right;
  const auto code = static_cast<std::uint32_t>(x);
  if ((code >> 5) >= words.count) return missing_right;
  return (words_[words.first + (code >> 5)] >> (code & 31) & 1U) == 0;
}

void Walk::rows(std::int64_t tree, const double* cells, std::int64_t stride, int count,
                double* values) const {
  for (int row = 0; row < count; row += kTogether) {
    const int here = count - row < kTogether ? count - row : kTogether;
    std::uint32_t place[kTogether];
    for (auto& p : place) p = roots_[tree];
    descend<false>(place, depths_[tree], [&](int lane, std::uint32_t feature) {
      return cells[std::int64_t{feature} * stride + row + (lane < here ? lane : 0)];
    });
    for (int lane = 0; lane < here; ++lane) {
      const float* more = values_of(place[lane]);
      double* sum = values + std::ptrdiff_t{row + lane} * (stride_ == 0 ? 1 : stride_);
      for (int k = 0; k < outputs_; ++k) sum[k] += double{more[k]};
    }
  }
}

}  // namespace gradatim::boost
