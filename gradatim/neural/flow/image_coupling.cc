#include "gradatim/neural/flow/image_coupling.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/bijection/channel_coupling.h"
#include "gradatim/neural/bijection/checkerboard_coupling.h"

namespace gradatim::neural {

std::unique_ptr<ScalarMap> map_of(CouplingMap map, double bound) {
  return map == CouplingMap::additive ? additive_map() : affine_map(bound);
}

void check_images(const FlowPlace& place, const char* step) {
  GRADATIM_CHECK(place.sample.size() == 3, UsageError, 1191,
                 "{} takes images [channels, height, width]; a sample is a row of {} numbers", step,
                 place.dims());
}

CheckerboardCoupling::CheckerboardCoupling(const FlowPlace& place,
                                           const ImageConditionerConfig& conditioner,
                                           std::unique_ptr<ScalarMap> map)
    : map_((check_images(place, "checkerboard_coupling"), std::move(map))),
      conditioner_(place.scope, place.sample[0], place.context,
                   place.sample[0] * map_->parameters(), conditioner) {
  const Tensor row = at::arange(place.sample[1], at::kLong).unsqueeze(1);
  const Tensor column = at::arange(place.sample[2], at::kLong);
  moves_ = at::remainder(row + column + place.number, 2)
               .to(at::kFloat)
               .view({1, 1, place.sample[1], place.sample[2]});
}

// Parameters of 0 are the identity, to the last bit: pixels that stay need no gathering.
Moved CheckerboardCoupling::through(Way way, const Tensor& x, const Tensor& context) const {
  const Tensor moves = moves_.to(x.device());
  const Tensor said = (conditioner_(x * (1.0 - moves), context) * moves).contiguous();
  Moved moved = (map_.get()->*way)(x.flatten(1), said.view({x.size(0), map_->parameters(), -1}));
  return {moved.x.view_as(x), std::move(moved.log_det)};
}

ChannelCoupling::ChannelCoupling(const FlowPlace& place, const ImageConditionerConfig& conditioner,
                                 std::unique_ptr<ScalarMap> map)
    : channels_((check_images(place, "channel_coupling"), place.sample[0])),
      first_((channels_ + 1) / 2),
      first_stays_(place.number % 2 == 0),
      map_(std::move(map)),
      conditioner_(place.scope, first_stays_ ? first_ : channels_ - first_, place.context,
                   (first_stays_ ? channels_ - first_ : first_) * map_->parameters(), conditioner) {
  GRADATIM_CHECK(channels_ > 1, UsageError, 1191,
                 "channel_coupling takes images of at least two channels; squeeze them first, or "
                 "take checkerboard_coupling");
}

Moved ChannelCoupling::through(Way way, const Tensor& x, const Tensor& context) const {
  const Tensor a = x.narrow(1, 0, first_), b = x.narrow(1, first_, channels_ - first_);
  const Tensor stays = first_stays_ ? a : b, moves = first_stays_ ? b : a;
  const Tensor said = conditioner_(stays, context).contiguous();
  Moved moved = (map_.get()->*way)(moves.flatten(1).contiguous(),
                                   said.view({x.size(0), map_->parameters(), -1}));
  const Tensor done = moved.x.view_as(moves);
  return {first_stays_ ? at::cat({a, done}, 1) : at::cat({done, b}, 1), std::move(moved.log_det)};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_checkerboard_coupling;
gradatim::neural::MakeTransform gradatim_make_channel_coupling;

gradatim::neural::Transform* gradatim_make_checkerboard_coupling(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const CheckerboardCouplingConfig*>(config);
  return new CheckerboardCoupling(place, image_conditioner_of(own), map_of(own.map, own.bound));
}

gradatim::neural::Transform* gradatim_make_channel_coupling(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const ChannelCouplingConfig*>(config);
  return new ChannelCoupling(place, image_conditioner_of(own), map_of(own.map, own.bound));
}
}
