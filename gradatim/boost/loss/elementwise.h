// The row loop of losses that treat each row alone, written once.
//
// A formula is a functor: Gradient operator()(float label, double z) const, where z is the score
// after `link` (which works on a whole block, so that exp is vectorised).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "gradatim/boost/loss/loss.h"

namespace gradatim::boost {

struct Gradient {
  double g = 0.0;
  double h = 0.0;
};

template <class Formula>
class Elementwise : public Loss {
 public:
  using Interface = Loss;
  Elementwise() = default;
  explicit Elementwise(const Formula& formula) : formula_(formula) {}

  void gradients(const GradientBlock& block) const override {
    constexpr std::int64_t kBlock = 1024;
    double z[kBlock];
    for (std::int64_t begin = 0; begin < block.rows; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, block.rows - begin);
      std::copy_n(block.score + begin, count, z);
      Formula::link(std::span(z, static_cast<std::size_t>(count)));
      for (std::int64_t i = 0; i < count; ++i) {
        const Gradient d = formula_(block.label[begin + i], z[i]);
        block.g[begin + i] = static_cast<float>(d.g);
        block.h[begin + i] = static_cast<float>(d.h);
      }
    }
  }

 protected:
  Formula formula_;
};

namespace internal {
/// DataError GRD-2020 where the target is classes.
void check_numeric_target(const Task& task);
/// max |label|, or 1 where all are zero.
double largest_label(std::span<const float> label);
}  // namespace internal

/// What losses of a numeric target share.
template <class Formula>
class RegressionLoss : public Elementwise<Formula> {
 public:
  using Elementwise<Formula>::Elementwise;
  TaskKind task() const override { return TaskKind::regression; }
  void check(const Task& task, std::span<const float> /*label*/) const override {
    internal::check_numeric_target(task);
  }
  double scale(std::span<const float> label) const override {
    return internal::largest_label(label);
  }
};

}  // namespace gradatim::boost
