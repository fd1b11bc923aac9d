#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural::fused {

Tensor image(const Tensor& rows, const Tensor& like) {
  return rows.view({like.size(0), like.size(2), like.size(3), -1}).permute({0, 3, 1, 2});
}

Tensor empty_image(const Tensor& like, std::int64_t channels) {
  return at::empty({like.size(0), channels, like.size(2), like.size(3)},
                   like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

kernel::GroupNorm problem(const Tensor& x, const Tensor& skip, const Tensor& gain,
                          const Tensor& bias, std::int64_t groups, double epsilon, bool silu,
                          const Around& around, const Tensor& statistics) {
  kernel::GroupNorm norm{.rows = x.size(0),
                         .pixels = x.size(2) * x.size(3),
                         .first = x.size(1),
                         .second = skip.defined() ? skip.size(1) : 0,
                         .groups = groups,
                         .epsilon = epsilon,
                         .silu = silu};
  norm.x1 = numbers(x);
  norm.x2 = numbers(skip);
  norm.gain = numbers(gain);
  norm.bias = numbers(bias);
  norm.offset = numbers(around.offset);
  norm.statistics = room(statistics);
  if (around.modulation.defined()) {
    norm.scale = numbers(around.modulation);
    norm.shift = norm.scale + norm.channels();
    norm.modulation_stride = 2 * norm.channels();
  }
  return norm;
}

Tensor statistics_for(const Tensor& x, std::int64_t groups) {
  return at::empty({x.size(0), 2, groups}, x.options().memory_format(std::nullopt));
}

NormGradients backward_of(const kernel::GroupNorm& norm, const Tensor& x, const Tensor& skip,
                          const Tensor& dy, const Tensor& add_x, const Tensor& add_skip) {
  NormGradients out;
  const auto plain = at::TensorOptions(at::kFloat);
  out.x = empty_image(x, x.size(1));
  if (skip.defined()) out.skip = empty_image(skip, skip.size(1));
  const Tensor by_row = at::empty({2, norm.rows, norm.channels()}, plain);
  if (norm.offset != nullptr) out.offset = at::empty({norm.rows, norm.channels()}, plain);
  if (norm.scale != nullptr) out.modulation = at::empty({norm.rows, 2 * norm.channels()}, plain);
  kernel::GroupNormGradient gradient{
      .dy = numbers(dy), .add1 = numbers(add_x), .add2 = numbers(add_skip)};
  gradient.dx1 = room(out.x);
  gradient.dx2 = room(out.skip);
  gradient.dgain = room(by_row);
  gradient.dbias = gradient.dgain + norm.rows * norm.channels();
  gradient.doffset = room(out.offset);
  gradient.dscale = room(out.modulation);
  if (gradient.dscale != nullptr) gradient.dshift = gradient.dscale + norm.channels();
  kernel::group_norm_backward(norm, gradient);
  const Tensor sums = by_row.sum(1);
  out.gain = sums[0];
  out.bias = sums[1];
  return out;
}

}  // namespace gradatim::neural::fused
