// y = x exp(s), a parameter s for every number of a sample.
#pragma once

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class DiagonalScaling final : public Transform {
 public:
  explicit DiagonalScaling(const FlowPlace& place)
      : log_scale_(place.scope.add("log_scale", place.sample, Init::constant(0.0))) {}
  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;

 private:
  Tensor log_scale_;
};

}  // namespace gradatim::neural
