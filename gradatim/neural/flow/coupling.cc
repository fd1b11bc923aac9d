#include "gradatim/neural/flow/coupling.h"

#include "gradatim/neural/bijection/additive_coupling.h"
#include "gradatim/neural/bijection/affine_coupling.h"

namespace gradatim::neural {
namespace {

// Whether plain loops do: a handful of torch's calls cost as much as small layers.
bool plain(const Tensor& x) {
  return !at::GradMode::is_enabled() && x.is_cpu() && x.scalar_type() == at::kFloat;
}

Tensor pick(const Tensor& x, const PickedNumbers& picked) {
  const std::int64_t rows = x.size(0), dims = x.size(1);
  const Tensor out = at::empty({rows, picked.count}, x.options());
  const float* from = x.const_data_ptr<float>() + picked.first;
  float* to = out.data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row, from += dims, to += picked.count) {
    for (std::int64_t k = 0; k < picked.count; ++k) to[k] = from[k * picked.step];
  }
  return out;
}

void put(const Tensor& x, const PickedNumbers& picked, const Tensor& out) {
  const std::int64_t rows = out.size(0), dims = out.size(1);
  const float* from = x.const_data_ptr<float>();
  float* to = out.data_ptr<float>() + picked.first;
  for (std::int64_t row = 0; row < rows; ++row, from += picked.count, to += dims) {
    for (std::int64_t k = 0; k < picked.count; ++k) to[k * picked.step] = from[k];
  }
}

}  // namespace

Parts::Parts(Mask mask, std::int64_t dims, std::int64_t number) : mask_(mask), dims_(dims) {
  first_stays_ = number % 2 == 0;
  // The first part is the larger one.
  stays_ = first_stays_ ? (dims + 1) / 2 : dims / 2;
  if (dims == 1) {
    first_stays_ = false;
    stays_ = 0;
  }
}

PickedNumbers Parts::part(bool first) const {
  const std::int64_t count = first == first_stays_ ? stays_ : moves();
  if (mask_ == Mask::halves) return {first ? 0 : dims_ - count, 1, count};
  return {first ? 0 : 1, 2, count};
}

std::pair<Tensor, Tensor> Parts::split(const Tensor& x) const {
  if (plain(x)) {
    const Tensor rows = x.contiguous();
    return {pick(rows, part(first_stays_)), pick(rows, part(!first_stays_))};
  }
  const std::int64_t first = part(true).count;
  Tensor a, b;
  if (mask_ == Mask::halves) {
    a = x.narrow(1, 0, first).contiguous();
    b = x.narrow(1, first, dims_ - first).contiguous();
  } else {
    a = x.slice(1, 0, dims_, 2).contiguous();
    b = x.slice(1, 1, dims_, 2).contiguous();
  }
  return first_stays_ ? std::pair(a, b) : std::pair(b, a);
}

Tensor Parts::join(const Tensor& stayed, const Tensor& moved) const {
  if (plain(moved)) {
    const Tensor out = at::empty({moved.size(0), dims_}, moved.options());
    put(stayed.contiguous(), part(first_stays_), out);
    put(moved.contiguous(), part(!first_stays_), out);
    return out;
  }
  const Tensor& a = first_stays_ ? stayed : moved;
  const Tensor& b = first_stays_ ? moved : stayed;
  if (mask_ == Mask::halves) return at::cat({a, b}, 1);
  if (dims_ % 2 == 0) return at::stack({a, b}, 2).view({a.size(0), dims_});
  const Tensor pairs = at::stack({a.narrow(1, 0, b.size(1)), b}, 2);
  return at::cat({pairs.view({a.size(0), dims_ - 1}), a.narrow(1, b.size(1), 1)}, 1);
}

Coupling::Coupling(const FlowPlace& place, Mask mask, const ConditionerConfig& conditioner,
                   std::unique_ptr<ScalarMap> map)
    : parts_(mask, place.dims(), place.number),
      map_(std::move(map)),
      conditioner_(place.scope, parts_.stays(), place.context, parts_.moves() * map_->parameters(),
                   conditioner) {}

Tensor Coupling::said(const Tensor& stays, const Tensor& context) const {
  return conditioner_(stays, context).view({stays.size(0), map_->parameters(), parts_.moves()});
}

Moved Coupling::forward(const Tensor& x, const Tensor& context) const {
  const auto [stays, moves] = parts_.split(x.flatten(1));
  Moved moved = map_->forward(moves, said(stays, context));
  return {parts_.join(stays, moved.x).view_as(x), std::move(moved.log_det)};
}

Moved Coupling::inverse(const Tensor& y, const Tensor& context) const {
  const auto [stays, moves] = parts_.split(y.flatten(1));
  Moved moved = map_->inverse(moves, said(stays, context));
  return {parts_.join(stays, moved.x).view_as(y), std::move(moved.log_det)};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_additive_coupling;
gradatim::neural::MakeTransform gradatim_make_affine_coupling;

gradatim::neural::Transform* gradatim_make_additive_coupling(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const AdditiveCouplingConfig*>(config);
  return new Coupling(place, own.mask, conditioner_of(own), additive_map());
}

gradatim::neural::Transform* gradatim_make_affine_coupling(
    const void* config, const gradatim::neural::FlowPlace& place) {
  using namespace gradatim::neural;
  const auto& own = *static_cast<const AffineCouplingConfig*>(config);
  return new Coupling(place, own.mask, conditioner_of(own), affine_map(own.bound));
}
}
