#include "gradatim/neural/flow/lu_linear.h"

#include <cmath>

#include "gradatim/neural/bijection/lu_linear.h"

namespace gradatim::neural {

LuLinear::LuLinear(const FlowPlace& place, bool bias)
    : factors_(place.scope.add("factors", {place.dims(), place.dims()}, Init::constant(0.0))),
      scale_(1.0 / std::sqrt(static_cast<double>(place.dims()))) {
  if (bias) bias_ = place.scope.add("bias", {place.dims()}, Init::constant(0.0));
}

Tensor LuLinear::lower() const {
  return factors_.tril(-1) * scale_ + at::eye(factors_.size(0), factors_.options());
}
Tensor LuLinear::upper() const {
  return factors_.triu(1) * scale_ + at::diag_embed(factors_.diagonal().exp());
}

Moved LuLinear::forward(const Tensor& x, const Tensor&) const {
  const Tensor matrix = lower().mm(upper()), rows = x.flatten(1);
  const Tensor y = at::linear(rows, matrix, bias_);
  return {y.view_as(x), factors_.diagonal().sum().expand({x.size(0)})};
}

Moved LuLinear::inverse(const Tensor& y, const Tensor&) const {
  Tensor rows = y.flatten(1);
  if (bias_.defined()) rows = rows - bias_;
  // Of rows: x U' L' = y.
  const Tensor half = at::linalg_solve_triangular(lower().t(), rows, true, false, true);
  const Tensor x = at::linalg_solve_triangular(upper().t(), half, false, false, false);
  return {x.contiguous().view_as(y), factors_.diagonal().sum().neg().expand({y.size(0)})};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_lu_linear;

gradatim::neural::Transform* gradatim_make_lu_linear(const void* config,
                                                     const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  return new LuLinear(place, static_cast<const LuLinearConfig*>(config)->bias);
}
}
