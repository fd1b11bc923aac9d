// y = L U x + b, L with ones on its diagonal and U with exponentials, both in one square of
// parameters: below its diagonal, above it, and the logarithms on it. Those off the diagonal count
// by the root of dims, so that a step of an optimiser, which moves all alike, turns as far at any
// size, and the matrix stays one that floats can invert.
#pragma once

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class LuLinear final : public Transform {
 public:
  LuLinear(const FlowPlace& place, bool bias);
  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;

 private:
  Tensor lower() const;
  Tensor upper() const;

  Tensor factors_;  // [dims, dims]
  double scale_;
  Tensor bias_;  // [dims], or undefined
};

}  // namespace gradatim::neural
