// Decoding in little memory: an image is decoded layer by layer, each in stripes of whole lines.
//
// A stripe is read with a line beyond it on each side, which is all that a 3 x 3 convolution sees;
// what the convolution makes of the lines beyond is dropped. Norms are a scale and a shift by
// channel, worked out of the whole image first. So two images of a layer's channels are all that is
// held, and of what lies between norm, convolution and upsampling only stripes. The attention at
// the coarsest level is whole.
#include "gradatim/neural/latent/kl_image_net.h"
#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace {

// silu(norm(x)) of parts of an image, by the statistics of all of it.
class WholeNorm {
 public:
  WholeNorm(const Norm& norm, const Tensor& x, std::int64_t pixels) {
    // About each channel's first pixel, so that no digits are lost where all are alike.
    const Tensor about = x.narrow(2, 0, 1).narrow(3, 0, 1);
    const Tensor sums = at::zeros({2, x.size(1)}, x.options().dtype(at::kDouble));
    const std::int64_t most = std::max<std::int64_t>(pixels / x.size(3), 1);
    for (std::int64_t first = 0; first < x.size(2); first += most) {
      const Tensor part = x.narrow(2, first, std::min(most, x.size(2) - first)) - about;
      sums[0].add_(part.sum({0, 2, 3}, false, at::kDouble));
      sums[1].add_(part.square().sum({0, 2, 3}, false, at::kDouble));
    }
    sums.div_(static_cast<double>(x.size(2) * x.size(3)));
    const std::int64_t width = x.size(1) / norm.groups;
    const auto by_group = [&](const Tensor& each) { return each.view({norm.groups, width}); };
    const Tensor means = by_group(sums[0] + about.flatten());
    const Tensor mean = means.mean(1, true);
    const Tensor variance = (by_group(sums[1] - sums[0].square()) + (means - mean).square())
                                .mean(1, true)
                                .clamp_min(0.0);
    const auto by_channel = [&](const Tensor& each) {
      return each.expand({norm.groups, width}).reshape({-1}).to(at::kFloat);
    };
    const Tensor scale = norm.gain * by_channel((variance + norm.epsilon).rsqrt());
    scale_ = scale.view({1, -1, 1, 1});
    shift_ = (norm.bias - by_channel(mean) * scale).view({1, -1, 1, 1});
  }
  Tensor silu(const Tensor& part) const {
    Tensor normal = (part * scale_).add_(shift_);
    return at::silu_(normal);
  }

 private:
  Tensor scale_, shift_;  // [1, channels, 1, 1]
};

// Puts f(lines) of the stripes of x with `put`(first line, lines); f's images are `times` as high.
template <class F, class Put>
void in_stripes(const Tensor& x, std::int64_t pixels, std::int64_t times, const F& f,
                const Put& put) {
  const std::int64_t height = x.size(2);
  const std::int64_t most = std::max<std::int64_t>(pixels / (x.size(3) * times * times), 1);
  for (std::int64_t first = 0; first < height; first += most) {
    const std::int64_t lines = std::min(most, height - first);
    const std::int64_t top = std::max<std::int64_t>(first - 1, 0);
    const std::int64_t bottom = std::min(first + lines + 1, height);
    const Tensor made = f(x.narrow(2, top, bottom - top));
    put(times * first, made.narrow(2, times * (first - top), times * lines));
  }
}

// A new image of the stripes.
template <class F>
Tensor joined(const Tensor& x, std::int64_t channels, std::int64_t pixels, std::int64_t times,
              const F& f) {
  const Tensor out = at::empty({1, channels, times * x.size(2), times * x.size(3)},
                               x.options().memory_format(at::MemoryFormat::ChannelsLast));
  in_stripes(x, pixels, times, f, [&](std::int64_t first, const Tensor& lines) {
    out.narrow(2, first, lines.size(2)).copy_(lines);
  });
  return out;
}

// x is the block's to change.
Tensor block_in_stripes(const ResidualBlock& block, const Tensor& x, std::int64_t pixels) {
  Tensor middle;
  {
    const WholeNorm norm(block.norm1, x, pixels);
    middle = joined(x, block.conv1.weight.size(0), pixels, 1,
                    [&](const Tensor& lines) { return block.conv1(norm.silu(lines)); });
  }
  const Tensor sum = block.shortcut ? joined(x, middle.size(1), pixels, 1, *block.shortcut) : x;
  const WholeNorm norm(block.norm2, middle, pixels);
  in_stripes(
      middle, pixels, 1, [&](const Tensor& lines) { return block.conv2(norm.silu(lines)); },
      [&](std::int64_t first, const Tensor& lines) {
        sum.narrow(2, first, lines.size(2)).add_(lines);
      });
  return sum;
}

}  // namespace

Tensor KlImageNet::decode_in_stripes(const Tensor& z, std::int64_t pixels) const {
  std::vector<Tensor> rows;
  for (std::int64_t row = 0; row < z.size(0); ++row) {
    const at::NoGradGuard plain;
    // And no pool: stripes have many sizes, each of which it would keep.
    Tensor h = decoder_.conv_in(post_quant_conv_(fused::channels_last(z.narrow(0, row, 1))));
    h = block_in_stripes(decoder_.middle.blocks[0], fused::channels_last(h), pixels);
    if (decoder_.middle.attention) h = (*decoder_.middle.attention)(h);
    h = block_in_stripes(decoder_.middle.blocks[1], fused::channels_last(h), pixels);
    for (const KlLevel& level : decoder_.levels) {
      for (const ResidualBlock& block : level.blocks) h = block_in_stripes(block, h, pixels);
      if (!level.resample) continue;
      h = joined(h, h.size(1), pixels, 2, [&](const Tensor& lines) {
        return (*level.resample)(
            at::upsample_nearest2d(lines, {2 * lines.size(2), 2 * lines.size(3)}));
      });
    }
    const WholeNorm norm(decoder_.norm_out, h, pixels);
    rows.push_back(
        joined(h, decoder_.conv_out->weight.size(0), pixels, 1,
               [&](const Tensor& lines) { return (*decoder_.conv_out)(norm.silu(lines)); }));
  }
  return at::cat(rows).contiguous();
}

}  // namespace gradatim::neural
