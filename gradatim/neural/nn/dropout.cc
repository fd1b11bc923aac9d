#include "gradatim/neural/nn/dropout.h"

namespace gradatim::neural {

Tensor Dropout::mask(const Tensor& x, double chance) {
  if (!draws_ || chance == 0.0) return {};
  const Tensor factors = at::empty({x.numel()}, at::kFloat);
  float* factor = factors.data_ptr<float>();
  const std::uint64_t layer = ++layer_ << 40;
  const auto left_out = static_cast<std::uint32_t>(chance * 0x1p32);
  const auto kept = static_cast<float>(1.0 / (1.0 - chance));
  constexpr std::int64_t kGrain = 1 << 14;
  at::parallel_for(0, (x.numel() + 3) / 4, kGrain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      const PhiloxBlock bits = draws_->block(layer + static_cast<std::uint64_t>(block));
      for (std::int64_t k = 0; k < 4 && 4 * block + k < x.numel(); ++k) {
        factor[4 * block + k] = bits[static_cast<std::size_t>(k)] < left_out ? 0.0F : kept;
      }
    }
  });
  return factors.view(x.sizes()).to(x.device());
}

}  // namespace gradatim::neural
