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
  /// Trees of one walk have as many outputs as each other.
  void add(const Tree& tree);

  std::int64_t trees() const { return static_cast<std::int64_t>(roots_.size()); }
  int outputs() const { return outputs_; }
  /// Calls f(tree, place of its leaf) for trees [first, last), in order. Allocates nothing.
  template <class F>
  void row(const double* features, std::int64_t first, std::int64_t last, F&& f) const;
  /// The values and the node of a leaf.  // [outputs]
  const float* values_of(std::uint32_t place) const {
    if (stride_ == 0) return values_.data() + place;
    return values_.data() + std::size_t{leaf_[place]} * static_cast<std::size_t>(stride_);
  }
  std::int32_t node_of(std::int64_t tree, std::uint32_t place) const {
    return static_cast<std::int32_t>(place - roots_[tree]);
  }
  /// values[i] += tree's value of row i.  // cells: [features][stride], values: [count], or with
  /// several outputs [count][vector_stride]
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

  void add_leaf(const Tree& tree, std::int32_t node);
  bool category_goes_right(const Step& step, double x) const;
  // kPlain: no cell is missing and no split categorical.
  template <bool kPlain>
  std::uint32_t next(const Step& step, double x) const {
    bool right = x >= step.threshold;
    if constexpr (!kPlain) {
      right |= (x != x) & (step.feature >= kMissingRight);
      if ((step.feature & kCategorical) != 0) [[unlikely]]
        right = category_goes_right(step, x);
    }
    return step.left + static_cast<std::uint32_t>(right);
  }
  // Moves all places to their leaves; `cell(lane, feature)` is a lane's number. In deep trees it
  // looks now and then whether all have arrived.
  template <bool kPlain, class Cell>
  void descend(std::uint32_t* place, std::int32_t depth, Cell&& cell) const {
    constexpr std::int32_t kBetweenLooks = 8;
    for (std::int32_t level = 0; level < depth; level += kBetweenLooks) {
      std::uint32_t before[kTogether];
      for (int lane = 0; lane < kTogether; ++lane) before[lane] = place[lane];
      const std::int32_t steps = depth - level < kBetweenLooks ? depth - level : kBetweenLooks;
      for (std::int32_t s = 0; s < steps; ++s) {
        for (int lane = 0; lane < kTogether; ++lane) {
          const Step& step = steps_[place[lane]];
          place[lane] = next<kPlain>(step, cell(lane, step.feature & kFeature));
        }
      }
      std::uint32_t moved = 0;
      for (int lane = 0; lane < kTogether; ++lane) moved |= before[lane] ^ place[lane];
      if (moved == 0) return;
    }
  }
  template <bool kPlain, class F>
  void row_of(const double* features, std::int64_t first, std::int64_t last, F&& f) const;

  bool categorical_ = false;
  std::uint32_t features_ = 0;  // the highest that is asked for, and one
  std::vector<Step> steps_;
  int outputs_ = 1;
  int stride_ = 0;                    // vector_stride() of the trees
  std::vector<float> values_;         // of the steps that are leaves; or [leaves][stride]
  std::vector<std::uint32_t> leaf_;   // of each step, where leaves have several values
  std::vector<std::uint32_t> roots_;  // of each tree
  std::vector<std::int32_t> depths_;
  std::vector<std::uint32_t> words_;
};

template <class F>
void Walk::row(const double* features, std::int64_t first, std::int64_t last, F&& f) const {
  bool missing = false;
  for (std::uint32_t i = 0; i < features_; ++i) missing |= features[i] != features[i];
  if (missing || categorical_) return row_of<false>(features, first, last, f);
  return row_of<true>(features, first, last, f);
}

template <bool kPlain, class F>
void Walk::row_of(const double* features, std::int64_t first, std::int64_t last, F&& f) const {
  auto cell = [&](int, std::uint32_t feature) { return features[feature]; };
  std::int64_t tree = first;
  for (; tree + kTogether <= last; tree += kTogether) {
    std::uint32_t place[kTogether];
    std::int32_t depth = 0;
    for (int lane = 0; lane < kTogether; ++lane) {
      place[lane] = roots_[tree + lane];
      depth = depth < depths_[tree + lane] ? depths_[tree + lane] : depth;
    }
    descend<kPlain>(place, depth, cell);
    for (int lane = 0; lane < kTogether; ++lane) f(tree + lane, place[lane]);
  }
  for (; tree < last; ++tree) {
    std::uint32_t place = roots_[tree];
    for (std::int32_t level = 0; level < depths_[tree]; ++level) {
      const Step& step = steps_[place];
      place = next<kPlain>(step, features[step.feature & kFeature]);
    }
    f(tree, place);
  }
}

}  // namespace gradatim::boost
