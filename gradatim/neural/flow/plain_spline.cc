// The spline by some dozens of torch's operations: what the kernel is compared with.
#include "gradatim/neural/flow/spline_map.h"
#include "gradatim/neural/nn/kernel/spline.h"

namespace gradatim::neural {
namespace {

// Knots of scores [rows, bins, n] -> [rows, bins + 1, n].
Tensor knots(const Tensor& scores, double bound) {
  const auto bins = static_cast<double>(scores.size(1));
  const double least = double{kernel::kLeastBin};
  const Tensor shares = at::softmax(scores, 1) * (1.0 - bins * least) + least;
  const Tensor inner =
      at::cumsum(shares, 1).narrow(1, 0, scores.size(1) - 1) * (2.0 * bound) - bound;
  const Tensor end = at::full_like(scores.narrow(1, 0, 1), bound);
  return at::cat({end.neg(), inner, end}, 1);
}

Tensor taken(const Tensor& all, const Tensor& index) {
  return all.gather(1, index.unsqueeze(1)).squeeze(1);
}

}  // namespace

Moved plain_spline(const Tensor& x, const Tensor& parameters, double bound, bool inverse) {
  const std::int64_t bins = (parameters.size(1) + 1) / 3;
  const Tensor xs = knots(parameters.narrow(1, 0, bins), bound);
  const Tensor ys = knots(parameters.narrow(1, bins, bins), bound);
  const Tensor v = parameters.narrow(1, 2 * bins, bins - 1);
  const Tensor inner = (v / (v.abs() / std::log(double{kernel::kMostSlope}) + 1.0)).exp();
  const Tensor one = at::ones_like(xs.narrow(1, 0, 1));
  const Tensor slopes = at::cat({one, inner, one}, 1);

  const Tensor inside = x.abs() <= bound, at_x = x.clamp(-bound, bound);
  const Tensor index = (at_x.unsqueeze(1) >= (inverse ? ys : xs).narrow(1, 1, bins - 1)).sum(1);
  const Tensor low = taken(xs, index), base = taken(ys, index);
  const Tensor w = taken(xs, index + 1) - low, h = taken(ys, index + 1) - base, s = h / w;
  const Tensor d0 = taken(slopes, index), d1 = taken(slopes, index + 1);

  Tensor xi;
  if (inverse) {
    const Tensor delta = (at_x - base) / h, epsilon = 1.0 - delta;
    const Tensor e = d0 * epsilon - d1 * delta;
    const Tensor root = (e.square() + 4.0 * s.square() * delta * epsilon).sqrt();
    const Tensor rising = e >= 0.0, sum = root + e.abs();
    const Tensor a = at::where(rising, 2.0 * s * delta, sum);
    xi = a / (a + at::where(rising, sum, 2.0 * s * epsilon));
  } else {
    xi = (at_x - low) / w;
  }
  const Tensor eta = 1.0 - xi, q = xi * eta;
  const Tensor den = s * (1.0 - 2.0 * q) + (d0 + d1) * q;
  const Tensor m = d1 * xi.square() + 2.0 * s * q + d0 * eta.square();
  const Tensor log = ((s / den).square() * m).log();
  const Tensor moved = inverse ? low + w * xi : base + h * (s * xi.square() + d0 * q) / den;
  return {at::where(inside, moved, x),
          at::where(inside, inverse ? log.neg() : log, at::zeros_like(log)).sum(1)};
}

}  // namespace gradatim::neural
