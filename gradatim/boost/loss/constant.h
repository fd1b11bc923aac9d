// The constant score of least loss, where it has no formula: Newton's method on the sums of g and
// h over all rows, inside a bracket that halves where a step leaves it. The sums are exact, so the
// result does not depend on threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/core/exact_sum.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

struct Gradient {
  double g = 0.0;
  double h = 0.0;
};

/// (sum w g, sum w h) of `slope(label)` over rows.
template <class Slope>
Gradient total_gradient(std::span<const float> label, std::span<const float> weight,
                        const Slope& slope) {
  constexpr std::int64_t kBlock = 8192;
  struct Sums {
    ExactSum g, h;
  };
  const auto rows = static_cast<std::int64_t>(label.size());
  std::vector<Sums> blocks((rows + kBlock - 1) / kBlock);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    Sums& sums = blocks[begin / kBlock];
    for (std::int64_t row = begin; row < end; ++row) {
      const double w = weight.empty() ? 1.0 : double{weight[row]};
      const Gradient d = slope(label[row]);
      sums.g.add(w * d.g);
      sums.h.add(w * d.h);
    }
  });
  Sums all;
  for (const auto& block : blocks) {
    all.g.add(block.g);
    all.h.add(block.h);
  }
  return {all.g.value(), all.h.value()};
}

/// The c between the smallest and the largest label at which sum w g(label, c) is zero, to about
/// 1e-12 of the largest; `slope(label, c)` must grow with c. 0 for no rows.
template <class Slope>
double constant_of_least_loss(std::span<const float> label, std::span<const float> weight,
                              const Slope& slope) {
  if (label.empty()) return 0.0;
  const auto [least, most] = std::minmax_element(label.begin(), label.end());
  double low = *least;
  double high = *most;
  const double enough = 1e-12 * std::max(std::abs(low), std::abs(high));
  double c = 0.5 * (low + high);
  for (int step = 0; step < 200 && high - low > enough; ++step) {
    const Gradient d = total_gradient(label, weight, [&](float y) { return slope(y, c); });
    const double newton = c - d.g / d.h;
    if (std::abs(newton - c) <= enough) return newton;
    (d.g > 0.0 ? high : low) = c;
    c = newton > low && newton < high ? newton : 0.5 * (low + high);
  }
  return c;
}

}  // namespace gradatim::boost
