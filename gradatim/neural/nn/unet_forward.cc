// The blocks of a U-Net where nothing is to go back (unet_fused.h): what a layer has made, the next
// writes over. Networks that are held (held.h) have packed weights here, others the plain ones.
#include "gradatim/neural/nn/unet_fused.h"
#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace {

using fused::channels_last;
using fused::pixels;

// Beyond this torch's attention is as fast as the kernel.
constexpr std::int64_t kWidestMixed = 160, kMostMixed = 4096;

// conv2's output plus the shortcut's.
void add_shortcut(const Convolution& shortcut, const Tensor& x, const Tensor& skip,
                  const Tensor& sum) {
  const Tensor rows = pixels(sum);
  if (shortcut.weight.is_held()) {
    const Tensor both = skip.defined() ? at::cat({pixels(x), pixels(skip)}, 1) : pixels(x);
    rows.add_(shortcut.weight.linear(both, shortcut.bias));
    return;
  }
  const Tensor flat = shortcut.weight.flatten(1).t();  // [in, out]
  rows.add_(shortcut.bias).addmm_(pixels(x), flat.narrow(0, 0, x.size(1)));
  if (skip.defined()) rows.addmm_(pixels(skip), flat.narrow(0, x.size(1), skip.size(1)));
}

}  // namespace

bool only_forward() { return !at::GradMode::is_enabled() && !Bfloat16::is_on(); }

Tensor forward_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x_in,
                        const Tensor& skip_in, const Tensor& modulation) {
  const Tensor x = channels_last(x_in), skip = channels_last(skip_in);
  const std::int64_t groups = block.norm1.groups;
  const double epsilon = block.norm1.epsilon;
  const Tensor statistics = fused::statistics_for(x, groups);
  Tensor h = fused::empty_image(x, block.norm1.gain.size(0));
  kernel::group_norm(fused::problem(x, skip, block.norm1.gain, block.norm1.bias, groups, epsilon,
                                    true, {}, statistics),
                     fused::room(h));
  h = channels_last(block.conv1(h));
  kernel::group_norm(fused::problem(h, {}, block.norm2.gain, block.norm2.bias, groups, epsilon,
                                    true, fused::around(modulation, scale_shift), statistics),
                     fused::room(h));  // over its input
  const Tensor sum = channels_last(block.conv2(h));
  if (block.shortcut) {
    add_shortcut(*block.shortcut, x, skip, sum);
  } else {
    sum.add_(x);
  }
  return sum;
}

Tensor forward_attention(const AttentionBlock& block, const Tensor& x_in) {
  const Tensor x = channels_last(x_in);
  const Tensor normal = block.norm.gain.defined() ? fused_norm(block.norm, x) : x;
  const Tensor tokens = pixels(normal).view({x.size(0), -1, x.size(1)});
  const Tensor seen =
      mixed(block.query(tokens), block.key(tokens), block.value(tokens), block.heads);
  return fused::image(block.out(seen).flatten(0, 1).add_(pixels(x)), x);
}

Tensor mixed(const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t heads) {
  const bool narrow = query.size(2) / heads <= kWidestMixed && key.size(1) <= kMostMixed;
  if (narrow && takes_fused(query)) return fused_mix(query, key, value, heads);
  const auto by_head = [&](const Tensor& part) {
    return part.view({part.size(0), part.size(1), heads, -1}).transpose(1, 2);
  };
  const Tensor sums =
      at::scaled_dot_product_attention(by_head(query), by_head(key), by_head(value));
  return sums.transpose(1, 2).reshape(query.sizes());
}

}  // namespace gradatim::neural
