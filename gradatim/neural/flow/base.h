// Base: the density where a flow ends, as it computes. Its numbers are independent of each other
// given a component; a mixture's parameters are learned.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class Base {
 public:
  virtual ~Base() = default;
  /// ln p of z [rows, dims] -> [rows], differentiable.
  virtual Tensor log_prob(const Tensor& z, const Tensor& context) const = 0;
  /// z [rows, dims], a pure function of the seed and the place of the row, first_row and on.
  /// Deviations are multiplied by the temperature.
  virtual Tensor sample(std::uint64_t seed, std::int64_t first_row, std::int64_t rows,
                        const Tensor& context, double temperature) const = 0;
};

/// What a BaseDensity's maker() names; the caller owns the result. The place's sample is {dims}.
using MakeBase = Base*(const void* config, const FlowPlace& place);

}  // namespace gradatim::neural
