#include "gradatim/neural/flow/diagonal_scaling.h"

namespace gradatim::neural {

Moved DiagonalScaling::forward(const Tensor& x, const Tensor&) const {
  return {x * log_scale_.exp(), log_scale_.sum().expand({x.size(0)})};
}

Moved DiagonalScaling::inverse(const Tensor& y, const Tensor&) const {
  return {y * log_scale_.neg().exp(), log_scale_.sum().neg().expand({y.size(0)})};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_diagonal_scaling;

gradatim::neural::Transform* gradatim_make_diagonal_scaling(
    const void*, const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::DiagonalScaling(place);
}
}
