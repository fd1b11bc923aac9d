#include "gradatim/neural/latent/kl_net.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/latent/kl_image_net.h"
#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace {

// Held, as everywhere, so that no deviation is 0 or infinite.
constexpr double kLeastLogVariance = -30.0, kMostLogVariance = 20.0;

Posterior posterior_of(const Tensor& moments) {
  const auto parts = moments.chunk(2, 1);
  return {parts[0].contiguous(), parts[1].contiguous().clamp(kLeastLogVariance, kMostLogVariance)};
}

std::vector<std::int64_t> kl_latent(const KlConfig& config,
                                    const std::vector<std::int64_t>& sample) {
  const auto levels = static_cast<std::int64_t>(config.channels.size);
  const std::int64_t unit = std::int64_t{1} << std::max<std::int64_t>(levels - 1, 0);
  GRADATIM_CHECK(levels > 0, UsageError, 1201,
                 "neural.kl_autoencoder needs the channels of one level at least");
  GRADATIM_CHECK(sample[1] % unit == 0 && sample[2] % unit == 0, UsageError, 1200,
                 "neural.kl_autoencoder with {} levels takes images whose height and width are "
                 "multiples of {}; samples are [{}]",
                 levels, unit, fmt::join(sample, ", "));
  for (const std::int64_t channels : config.channels) {
    GRADATIM_CHECK(channels % config.norm_groups == 0, UsageError, 1201,
                   "norm_groups {} does not divide {} channels", config.norm_groups, channels);
  }
  return {config.latent_channels, sample[1] / unit, sample[2] / unit};
}

UnetConfig kl_layers(const KlConfig& config) {
  UnetConfig layers;
  layers.norm_groups = config.norm_groups;
  layers.norm_epsilon = 1e-6;
  layers.zero_init = false;
  layers.scale_shift = false;
  layers.head_width = 0;  // a single head
  return layers;
}

ResidualBlock kl_residual(const Scope& scope, const UnetConfig& layers, std::int64_t in,
                          std::int64_t out) {
  return ResidualBlock(scope, {.config = layers, .in = in, .out = out});
}

KlMiddle kl_middle(const KlConfig& config, const UnetConfig& layers, const Scope& scope) {
  const std::int64_t here = config.channels[config.channels.size - 1];
  KlMiddle middle;
  for (std::int64_t k = 0; k < 2; ++k) {
    middle.blocks.push_back(kl_residual(scope / "resnets" / k, layers, here, here));
  }
  if (config.middle_attention) {
    middle.attention.emplace(scope / "attentions" / 0, layers, here, layers.norm_groups, 1.0);
  }
  return middle;
}

KlHalf kl_encoder(const KlConfig& config, const UnetConfig& layers, const Scope& scope,
                  std::int64_t channels) {
  std::int64_t in = config.channels[0];
  KlHalf half(scope, channels, 2 * config.latent_channels, in);
  for (std::size_t i = 0; i < config.channels.size; ++i) {
    const Scope here = scope / "down_blocks" / static_cast<std::int64_t>(i);
    const std::int64_t out = config.channels[i];
    KlLevel level;
    for (std::int64_t k = 0; k < config.layers; ++k) {
      level.blocks.push_back(kl_residual(here / "resnets" / k, layers, k == 0 ? in : out, out));
    }
    if (i + 1 < config.channels.size) {
      level.resample.emplace(here / "downsamplers" / 0 / "conv", out, out, 3);
      level.resample->stride = 2;
      level.resample->padding = 0;
    }
    half.levels.push_back(std::move(level));
    in = out;
  }
  half.middle = kl_middle(config, layers, scope / "mid_block");
  half.close(scope, in, layers);
  return half;
}

KlHalf kl_decoder(const KlConfig& config, const UnetConfig& layers, const Scope& scope,
                  std::int64_t channels) {
  std::int64_t in = config.channels[config.channels.size - 1];
  KlHalf half(scope, config.latent_channels, channels, in);
  half.middle = kl_middle(config, layers, scope / "mid_block");
  for (std::size_t i = 0; i < config.channels.size; ++i) {
    const Scope here = scope / "up_blocks" / static_cast<std::int64_t>(i);
    const std::int64_t out = config.channels[config.channels.size - 1 - i];
    KlLevel level;
    for (std::int64_t k = 0; k <= config.layers; ++k) {
      level.blocks.push_back(kl_residual(here / "resnets" / k, layers, k == 0 ? in : out, out));
    }
    if (i + 1 < config.channels.size) {
      level.resample.emplace(here / "upsamplers" / 0 / "conv", out, out, 3);
    }
    half.levels.push_back(std::move(level));
    in = out;
  }
  half.close(scope, in, layers);
  return half;
}

Tensor kl_middle_through(const KlMiddle& middle, Tensor h) {
  h = through_block(middle.blocks[0], h);
  if (middle.attention) h = (*middle.attention)(h);
  return through_block(middle.blocks[1], h);
}

// Perceptrons to and from few numbers.
class KlRowNet final : public KlNet {
 public:
  KlRowNet(const KlConfig& config, const Scope& scope, std::int64_t dims)
      : KlNet({config.latent_channels}) {
    std::vector<std::int64_t> widths{dims};
    for (const std::int64_t width : config.channels) widths.push_back(width);
    add(scope / "encoder", widths, 2 * config.latent_channels, encoder_);
    widths.push_back(config.latent_channels);
    std::ranges::reverse(widths);
    widths.pop_back();
    add(scope / "decoder", widths, dims, decoder_);
  }

  Posterior encode(const Tensor& x) const override { return posterior_of(through(encoder_, x)); }
  Tensor decode(const Tensor& z) const override { return through(decoder_, z); }
  const Tensor& last_weight() const override { return decoder_.back().weight; }
  double operations() const override { return operations_; }

 private:
  void add(const Scope& scope, const std::vector<std::int64_t>& widths, std::int64_t out,
           std::vector<Dense>& layers) {
    for (std::size_t k = 0; k < widths.size(); ++k) {
      const std::int64_t next = k + 1 < widths.size() ? widths[k + 1] : out;
      layers.emplace_back(scope / "layers" / static_cast<std::int64_t>(k), widths[k], next);
      operations_ = std::max(operations_, 2.0 * static_cast<double>(widths[k] * next));
    }
  }
  static Tensor through(const std::vector<Dense>& layers, Tensor h) {
    for (std::size_t k = 0; k < layers.size(); ++k) {
      h = layers[k](k == 0 ? h : at::silu(h));
    }
    return h;
  }

  std::vector<Dense> encoder_, decoder_;
  double operations_ = 0.0;
};

}  // namespace

Tensor Posterior::divergence() const {
  const Tensor each = mean.square() + log_variance.exp() - 1.0 - log_variance;
  return 0.5 * each.flatten(1).sum(1);
}

Tensor KlNet::decode_in_stripes(const Tensor& z, std::int64_t) const { return decode(z); }

Tensor through_block(const ResidualBlock& block, const Tensor& x) {
  Dropout none({});
  return block(x, {}, {}, none);
}

void KlHalf::close(const Scope& scope, std::int64_t last, const UnetConfig& layers) {
  norm_out = Norm(scope / "conv_norm_out", last, layers.norm_groups, layers.norm_epsilon);
  conv_out.emplace(scope / "conv_out", last, out_channels, 3);
}

KlImageNet::KlImageNet(const KlConfig& config, const Scope& scope,
                       const std::vector<std::int64_t>& sample)
    : KlNet(kl_latent(config, sample)),
      layers_(kl_layers(config)),
      encoder_(kl_encoder(config, layers_, scope / "encoder", sample[0])),
      decoder_(kl_decoder(config, layers_, scope / "decoder", sample[0])),
      quant_conv_(scope / "quant_conv", 2 * config.latent_channels, 2 * config.latent_channels, 1),
      post_quant_conv_(scope / "post_quant_conv", config.latent_channels, config.latent_channels,
                       1) {
  const double finest = config.channels[0];
  operations_ = 18.0 * finest * finest * static_cast<double>(sample[1] * sample[2]);
}

Posterior KlImageNet::encode(const Tensor& x) const {
  Tensor h = fused::channels_last(encoder_.conv_in(fused::channels_last(x)));
  for (const KlLevel& level : encoder_.levels) {
    for (const ResidualBlock& block : level.blocks) h = through_block(block, h);
    // Zeros below and to the right only.
    if (level.resample) h = (*level.resample)(at::constant_pad_nd(h, {0, 1, 0, 1}));
  }
  h = kl_middle_through(encoder_.middle, h);
  return posterior_of(quant_conv_((*encoder_.conv_out)(encoder_.norm_out.silu(h))));
}

Tensor KlImageNet::decode(const Tensor& z) const {
  Tensor h = decoder_.conv_in(post_quant_conv_(fused::channels_last(z)));
  h = kl_middle_through(decoder_.middle, fused::channels_last(h));
  for (const KlLevel& level : decoder_.levels) {
    for (const ResidualBlock& block : level.blocks) h = through_block(block, h);
    if (level.resample) {
      h = (*level.resample)(at::upsample_nearest2d(h, {2 * h.size(2), 2 * h.size(3)}));
    }
  }
  return (*decoder_.conv_out)(decoder_.norm_out.silu(h)).contiguous();
}

std::unique_ptr<KlNet> make_kl_net(const KlConfig& config, const Scope& scope,
                                   const std::vector<std::int64_t>& sample) {
  if (sample.size() == 3) return std::make_unique<KlImageNet>(config, scope, sample);
  return std::make_unique<KlRowNet>(config, scope, sample[0]);
}

}  // namespace gradatim::neural
