#include "gradatim/neural/nn/time_embedding.h"

#include <cmath>

namespace gradatim::neural {

Tensor time_embedding(const Tensor& t, std::int64_t width, const TimeEmbedding& how) {
  const std::int64_t half = width / 2;
  const Tensor places = at::arange(half, t.options());
  const double slope = -std::log(10000.0) / (static_cast<double>(half) - how.frequency_shift);
  const Tensor angles = t.unsqueeze(1) * (places * slope).exp().unsqueeze(0);
  const Tensor sines = angles.sin(), cosines = angles.cos();
  return how.cosines_first ? at::cat({cosines, sines}, 1) : at::cat({sines, cosines}, 1);
}

}  // namespace gradatim::neural
