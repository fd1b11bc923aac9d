#include "gradatim/neural/flow/invertible_convolution.h"

#include <numeric>

#include "gradatim/core/philox.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural {
namespace {

// Initial values of parameters draw by their places, which are never so many.
constexpr std::uint32_t kOrderDraws = 0xFFFFFFFF;

Tensor order_of(std::int64_t channels, std::int64_t number) {
  const Philox draws(to_size(number), Stream::init, kOrderDraws);
  std::vector<std::int64_t> order(to_size(channels));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::size_t k = order.size(); k > 1; --k) {
    std::swap(order[k - 1], order[draws.below(static_cast<std::uint32_t>(k), k)]);
  }
  return at::tensor(at::ArrayRef<std::int64_t>(order), at::kLong);
}

// Of images, one product of all pixels: a fraction of what a convolution of 1 x 1 takes.
Tensor applied(const Tensor& matrix, const Tensor& x) {
  if (x.dim() == 2) return at::linear(x, matrix);
  const Tensor pixels = x.transpose(0, 1).reshape({x.size(1), -1});
  const Tensor mixed = matrix.mm(pixels).view({x.size(1), x.size(0), x.size(2), x.size(3)});
  return mixed.transpose(0, 1).contiguous();
}

}  // namespace

InvertibleConvolution::InvertibleConvolution(const FlowPlace& place)
    : channels_(place.sample[0]),
      places_(place.dims() / channels_),
      order_(order_of(channels_, place.number)),
      lower_(place.scope.add("lower", {channels_, channels_}, Init::constant(0.0))),
      upper_(place.scope.add("upper", {channels_, channels_}, Init::constant(0.0))),
      log_diagonal_(place.scope.add("log_diagonal", {channels_}, Init::constant(0.0))) {}

Tensor InvertibleConvolution::lower(at::ScalarType type) const {
  const Tensor ones = at::eye(channels_, lower_.options().dtype(type));
  return lower_.to(type).tril(-1) + ones;
}

Tensor InvertibleConvolution::upper(at::ScalarType type) const {
  return upper_.to(type).triu(1) + log_diagonal_.to(type).exp().diag();
}

Moved InvertibleConvolution::forward(const Tensor& x, const Tensor&) const {
  const Tensor order = order_.to(x.device());
  const Tensor matrix = lower(at::kFloat).mm(upper(at::kFloat)).index_select(0, order);
  const Tensor log_det = log_diagonal_.sum() * static_cast<double>(places_);
  return {applied(matrix, x), log_det.expand({x.size(0)})};
}

// The inverse of a small matrix, in float64 by its triangles.
Moved InvertibleConvolution::inverse(const Tensor& y, const Tensor&) const {
  const Tensor ones = at::eye(channels_, lower_.options().dtype(at::kDouble));
  const Tensor half = at::linalg_solve_triangular(lower(at::kDouble), ones, false, true, true);
  const Tensor whole = at::linalg_solve_triangular(upper(at::kDouble), half, true);
  const Tensor matrix = whole.to(at::kFloat).index_select(1, order_.to(y.device()));
  const Tensor log_det = log_diagonal_.sum() * -static_cast<double>(places_);
  return {applied(matrix, y), log_det.expand({y.size(0)})};
}

}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeTransform gradatim_make_invertible_convolution;

gradatim::neural::Transform* gradatim_make_invertible_convolution(
    const void*, const gradatim::neural::FlowPlace& place) {
  return new gradatim::neural::InvertibleConvolution(place);
}
}
