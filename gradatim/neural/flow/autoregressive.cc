#include "gradatim/neural/flow/autoregressive.h"

#include "gradatim/neural/bijection/affine_autoregressive.h"
#include "gradatim/neural/bijection/spline_autoregressive.h"
#include "gradatim/neural/flow/spline_map.h"

namespace gradatim::neural {

Autoregressive::Autoregressive(const FlowPlace& place, const ConditionerConfig& conditioner,
                               std::unique_ptr<ScalarMap> map, bool inverse)
    : map_(std::move(map)),
      made_(place.scope, place.dims(), place.context, map_->parameters(), place.number % 2 == 1,
            conditioner),
      inverse_(inverse) {}

Moved Autoregressive::mapped(const Tensor& x, const Tensor& context) const {
  const Tensor rows = x.flatten(1);
  Moved moved = map_->forward(rows, made_(made_.weights(), rows, context));
  return {moved.x.view_as(x), std::move(moved.log_det)};
}

Moved Autoregressive::solved(const Tensor& y, const Tensor& context) const {
  const Tensor rows = y.flatten(1);
  const std::vector<Tensor> weights = made_.weights();
  Tensor x = at::zeros_like(rows), log_det;
  for (std::int64_t place = 0; place < rows.size(1); ++place) {
    const std::int64_t number = made_.number_at(place);
    const Tensor said = made_.of_number(weights, x, context, number);
    const Moved one = map_->inverse(rows.narrow(1, number, 1).contiguous(), said);
    // A graph holds what it was given.
    if (at::GradMode::is_enabled()) x = x.clone();
    x.narrow(1, number, 1).copy_(one.x);
    log_det = add_log_det(log_det, one.log_det);
  }
  return {x.view_as(y), log_det};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_affine_autoregressive;
gradatim::neural::MakeTransform gradatim_make_spline_autoregressive;

gradatim::neural::Transform* gradatim_make_affine_autoregressive(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const AffineAutoregressiveConfig*>(config);
  return new Autoregressive(place, conditioner_of(own), affine_map(own.bound), own.inverse);
}

gradatim::neural::Transform* gradatim_make_spline_autoregressive(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const SplineAutoregressiveConfig*>(config);
  return new Autoregressive(place, conditioner_of(own), spline_map(own.bins, own.tail_bound),
                            own.inverse);
}
}
