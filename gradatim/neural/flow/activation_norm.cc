#include "gradatim/neural/flow/activation_norm.h"

namespace gradatim::neural {
namespace {

// Of the deviation that a channel must have to be scaled by it.
constexpr double kLeastDeviation = 1e-6;

}  // namespace

ActivationNorm::ActivationNorm(const FlowPlace& place)
    : sizes_(place.sample.size(), 1),
      places_(place.dims() / place.sample[0]),
      log_scale_(place.scope.add("log_scale", {place.sample[0]}, Init::constant(0.0))),
      shift_(place.scope.add("shift", {place.sample[0]}, Init::constant(0.0))) {
  sizes_[0] = place.sample[0];
}

Moved ActivationNorm::forward(const Tensor& x, const Tensor&) const {
  const Tensor log_det = log_scale_.sum() * static_cast<double>(places_);
  const Tensor scale = log_scale_.exp().view(sizes_);
  return {at::addcmul((shift_.view(sizes_) * scale), x, scale), log_det.expand({x.size(0)})};
}

Moved ActivationNorm::inverse(const Tensor& y, const Tensor&) const {
  const Tensor log_det = log_scale_.sum() * -static_cast<double>(places_);
  return {y * log_scale_.neg().exp().view(sizes_) - shift_.view(sizes_),
          log_det.expand({y.size(0)})};
}

void ActivationNorm::start(const Tensor& x, const Tensor&) {
  const at::NoGradGuard plain;
  const Tensor by_channel =
      x.to(at::kDouble).transpose(0, 1).reshape({x.size(1), -1});  // [channels, places]
  const Tensor mean = by_channel.mean(1);
  const Tensor deviation = (by_channel - mean.unsqueeze(1)).square().mean(1).sqrt();
  const Tensor varies = deviation > kLeastDeviation * at::maximum(mean.abs(), at::ones_like(mean));
  shift_.copy_(mean.neg());
  log_scale_.copy_(at::where(varies, deviation.log().neg(), at::zeros_like(deviation)));
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_activation_norm;

gradatim::neural::Transform* gradatim_make_activation_norm(
    const void*, const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::ActivationNorm(place);
}
}
