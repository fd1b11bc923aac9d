// Trees node by node: one row through several trees at once, or several rows through one tree.
//
// A step is "next = left + right?" without a jump. A leaf is a node that everything leaves to the
// left and whose left child is itself, so that walks of unequal length go side by side.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/boost/tree/tree.h"

namespace gradatim::boost {

class Walk {
 public:
  void add(const Tree& tree);

  std::int64_t trees() const { return static_cast<std::int64_t>(roots_.size()); }
  /// Calls f(tree, value) for trees [first, last), in order. Allocates nothing.
  template <class F>
  void row(const double* features, std::int64_t first, std::int64_t last, F&& f) const;
  /// values[i] += tree's value of row i.  // cells: [features][stride]
  void rows(std::int64_t tree, const double* cells, std::int64_t stride, int count,
            double* values) const;

 private:
  static constexpr int kTogether = 8;
  struct Step {
    double threshold;  // NaN in a leaf; of categories: the place of their words
    std::uint32_t feature;
    std::uint32_t left;
  };
  struct Words {
    std::uint32_t first;
    std::uint32_t count;
  };
  // Of Step::feature.
  static constexpr std::uint32_t kMissingRight = 1U << 31;
  static constexpr std::uint32_t kCategorical = 1U << 30;
  static constexpr std::uint32_t kFeature = kCategorical - 1;

  bool category_goes_right(const Step& step, double x) const;
  std::uint32_t next(const Step& step, double x) const {
    bool right = x >= step.threshold;
    right |= (x != x) & (step.feature >= kMissingRight);
    if ((step.feature & kCategorical) != 0) [[unlikely]]
      right = category_goes_right(step, x);
    return step.left + static_cast<std::uint32_t>(right);
  }
  // Moves all places to their leaves; `features(lane, feature)` is a lane's number.
  template <class Cell>
  void descend(std::uint32_t* place, std::int32_t depth, Cell&& cell) const {
    constexpr int kBetweenLooks = 4;
    for (std::int32_t level = 0; level < depth; level += kBetweenLooks) {
      std::uint32_t moved = 0;
      const int steps = depth - level < kBetweenLooks ? depth - level : kBetweenLooks;
      for (int s = 0; s < steps; ++s) {
        moved = 0;
        for (int lane = 0; lane < kTogether; ++lane) {
          const Step& step = steps_[place[lane]];
          const std::uint32_t to = next(step, cell(lane, step.feature & kFeature));
          moved |= to ^ place[lane];
          place[lane] = to;
        }
      }
      if (moved == 0) return;
    }
  }

  std::vector<Step> steps_;
  std::vector<float> values_;         // of the steps that are leaves
  std::vector<std::uint32_t> roots_;  // of each tree
  std::vector<std::int32_t> depths_;
  std::vector<std::uint32_t> words_;
};

template <class F>
void Walk::row(const double* features, std::int64_t first, std::int64_t last, F&& f) const {
  for (std::int64_t tree = first; tree < last; tree += kTogether) {
    const auto count = static_cast<int>(last - tree < kTogether ? last - tree : kTogether);
    std::uint32_t place[kTogether];
    std::int32_t depth = 0;
    for (int lane = 0; lane < kTogether; ++lane) {
      const std::int64_t t = tree + (lane < count ? lane : 0);
      place[lane] = roots_[t];
      depth = depth < depths_[t] ? depths_[t] : depth;
    }
    descend(place, depth, [&](int, std::uint32_t feature) { return features[feature]; });
    for (int lane = 0; lane < count; ++lane) f(tree + lane, double{values_[place[lane]]});
  }
}

}  // namespace gradatim::boost
