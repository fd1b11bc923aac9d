#include "gradatim/neural/flow/dequantizer.h"

#include "gradatim/neural/flow/coupling.h"

namespace gradatim::neural {
namespace {

constexpr double kBound = 3.0;              // of |ln scale| in a coupling
constexpr double kLargest = 1.0 - 0x1p-24;  // below 1

}  // namespace

Dequantizer::Dequantizer(const Scope& scope, std::int64_t dims, const DequantizerConfig& config) {
  for (int k = 0; k < config.couplings; ++k) {
    const FlowPlace here{scope / "couplings" / k, {dims}, dims, k};
    steps_.add(
        std::make_unique<Coupling>(here, Mask::alternate, config.conditioner, affine_map(kBound)));
  }
}

// ln q = ln N(e) - ln |det df/de| - ln N(f), the last of the slopes of Phi.
Drawn Dequantizer::draw(const Tensor& x, const Tensor& noise) const {
  const Tensor e = noise.flatten(1).contiguous();
  const Moved moved = steps_.forward(e, x.flatten(1));
  const Tensor u = at::special_ndtr(moved.x).clamp_max(kLargest);
  const Tensor log_q = 0.5 * (moved.x.square() - e.square()).sum(1);
  const Tensor less = moved.log_det.defined() ? moved.log_det.neg() : moved.log_det;
  return {u.view_as(x), add_log_det(log_q, less)};
}

}  // namespace gradatim::neural
