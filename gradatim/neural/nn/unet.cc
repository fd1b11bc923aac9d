// The U-Net of network/unet.cc: diffusers' UNet2DModel, with its parameter names.
#include "gradatim/neural/network/unet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {
namespace {

constexpr double kFourierDeviation = 16.0, kTwoPi = 6.283185307179586;

// The blocks of one level, and what changes the size of images behind them.
struct Level {
  std::vector<ResidualBlock> blocks;
  std::vector<AttentionBlock> attentions;  // behind each block, or none
  std::optional<Convolution> convolution;
  std::optional<ResidualBlock> resnet;

  Tensor block(std::size_t k, const Tensor& x, const Tensor& skip, const Tensor& time,
               Dropout& dropout) const {
    const Tensor h = blocks[k](x, skip, time, dropout);
    return attentions.empty() ? h : attentions[k](h);
  }
};

class Unet final : public Net {
 public:
  Unet(const UnetConfig& config, const NetworkShape& shape) : config_(config), shape_(shape) {
    check();
    const Scope root(parameters());
    const std::int64_t base = config.channels[0];
    const std::int64_t seen = config.time == UnetTime::fourier ? 2 * base : base;
    time_ = config.time_width > 0 ? config.time_width : 4 * base;
    conv_in_.emplace(root / "conv_in", shape.sample[0], base, 3);
    if (config.time == UnetTime::fourier) {
      frequencies_ = (root / "time_proj").add("weight", {base}, Init::normal(kFourierDeviation));
    }
    layers_at(places(0));
    time1_.emplace(root / "time_embedding" / "linear_1", seen, time_);
    time2_.emplace(root / "time_embedding" / "linear_2", time_, time_);
    if (shape.classes > 0) {
      labels_ =
          (root / "class_embedding").add("weight", {shape.classes + 1, time_}, Init::normal(1.0));
    }
    layers_at(1);
    add_down(root / "down_blocks");
    if (config.middle) add_middle(root / "mid_block");
    add_up(root / "up_blocks");
    norm_out_ = Norm(root / "conv_norm_out", base, config.norm_groups, config.norm_epsilon);
    conv_out_.emplace(root / "conv_out", base, shape.sample[0] * shape.outputs, 3,
                      config.zero_init);
    layers_at(places(0));
  }

  Tensor forward(const NetInput& input) override {
    const PooledMemory memory;
    const Tensor t = input.t * (shape_.time_scale * shape_.wave_scale);
    const Tensor time = activated(config_.activation, embedded(t, input.labels));
    Dropout dropout(input.dropout);
    Tensor h = config_.center_input ? 2.0 * input.x - 1.0 : input.x;
    h = (*conv_in_)(h.contiguous(at::MemoryFormat::ChannelsLast))
            .contiguous(at::MemoryFormat::ChannelsLast);
    std::vector<Tensor> skips{h};
    for (const Level& level : down_) {
      for (std::size_t k = 0; k < level.blocks.size(); ++k) {
        skips.push_back(h = level.block(k, h, {}, time, dropout));
      }
      if (level.convolution || level.resnet) {
        skips.push_back(h = halved(level, h, time, dropout));
      }
    }
    for (std::size_t k = 0; k < middle_.blocks.size(); ++k) {
      h = middle_.blocks[k](h, {}, time, dropout);
      if (k < middle_.attentions.size()) h = middle_.attentions[k](h);
    }
    for (const Level& level : up_) {
      for (std::size_t k = 0; k < level.blocks.size(); ++k) {
        const Tensor skip = std::move(skips.back());
        skips.pop_back();
        h = level.block(k, h, skip, time, dropout);
      }
      if (level.resnet) h = (*level.resnet)(h, {}, time, dropout);
      if (level.convolution) {
        h = (*level.convolution)(at::upsample_nearest2d(h, {2 * h.size(2), 2 * h.size(3)}));
      }
    }
    const Tensor out = (*conv_out_)(norm_out_.silu(h)).contiguous();
    return config_.time == UnetTime::fourier ? out / t.view({-1, 1, 1, 1}) : out;
  }

  void backward(const Tensor& output_gradient) override {
    const PooledMemory memory;
    Net::backward(output_gradient);
  }

 private:
  std::int64_t levels() const { return static_cast<std::int64_t>(config_.channels.size); }
  std::int64_t channels(std::int64_t level) const {
    return config_.channels[static_cast<std::size_t>(level)];
  }

  // Of a level's images.
  std::int64_t places(std::int64_t level) const {
    return (shape_.sample[1] >> level) * (shape_.sample[2] >> level);
  }

  void check() const {
    const std::int64_t unit = std::int64_t{1} << std::max<std::int64_t>(levels() - 1, 0);
    GRADATIM_CHECK(!config_.channels.empty(), UsageError, 1166,
                   "neural.network.unet needs the channels of one level at least");
    GRADATIM_CHECK(
        shape_.sample.size() == 3 && shape_.sample[1] % unit == 0 && shape_.sample[2] % unit == 0,
        UsageError, 1165,
        "neural.network.unet with {} levels takes images whose height and width are "
        "multiples of {}; samples are [{}]",
        levels(), unit, fmt::join(shape_.sample, ", "));
    for (const auto* list :
         {&config_.attention, &config_.resnet_downsampling, &config_.resnet_upsampling}) {
      for (const std::int64_t level : *list) {
        GRADATIM_CHECK(level >= -levels() && level < levels(), UsageError, 1167,
                       "neural.network.unet has no level {}; channels are given for {} levels",
                       level, levels());
      }
    }
    for (std::int64_t level = 0; level < levels(); ++level) {
      const std::int64_t here = channels(level);
      GRADATIM_CHECK(here % config_.norm_groups == 0, UsageError, 1166,
                     "norm_groups {} does not divide the {} channels of level {}",
                     config_.norm_groups, here, level);
      const bool attends = among(config_.attention, level, levels()) ||
                           (config_.middle && config_.middle_attention && level + 1 == levels());
      GRADATIM_CHECK(!attends || config_.head_width == 0 || here % config_.head_width == 0,
                     UsageError, 1166, "head_width {} does not divide the {} channels of level {}",
                     config_.head_width, here, level);
    }
    GRADATIM_CHECK(
        config_.middle_norm_groups <= 0 || channels(levels() - 1) % config_.middle_norm_groups == 0,
        UsageError, 1166, "middle_norm_groups {} does not divide {} channels",
        config_.middle_norm_groups, channels(levels() - 1));
  }

  ResidualBlock residual(const Scope& scope, std::int64_t in, std::int64_t out,
                         Resample resample = Resample::none, double scale = 1.0) const {
    return ResidualBlock(scope, {.config = config_,
                                 .time = time_,
                                 .in = in,
                                 .out = out,
                                 .resample = resample,
                                 .scale = scale});
  }

  void add_down(const Scope& scope) {
    std::int64_t in = channels(0);
    for (std::int64_t i = 0; i < levels(); ++i) {
      const Scope here = scope / i;
      Level level;
      for (std::int64_t k = 0; k < config_.layers; ++k) {
        level.blocks.push_back(
            residual(here / "resnets" / k, k == 0 ? in : channels(i), channels(i)));
      }
      add_attentions(here, i, level);
      in = channels(i);
      const Scope below = here / "downsamplers" / 0;
      if (i + 1 < levels() && among(config_.resnet_downsampling, i, levels())) {
        level.resnet.emplace(residual(below, in, in, Resample::half));
      } else if (i + 1 < levels()) {
        level.convolution.emplace(below / "conv", in, in, 3);
        level.convolution->stride = 2;
        level.convolution->padding = config_.downsample_padding;
      }
      down_.push_back(std::move(level));
      layers_at(places(i));
    }
  }

  void add_middle(const Scope& scope) {
    const std::int64_t here = channels(levels() - 1);
    for (std::int64_t k = 0; k < 2; ++k) {
      middle_.blocks.push_back(
          residual(scope / "resnets" / k, here, here, Resample::none, config_.middle_scale));
    }
    if (!config_.middle_attention) return;
    const std::int64_t groups =
        config_.middle_norm_groups < 0 ? config_.norm_groups : config_.middle_norm_groups;
    middle_.attentions.emplace_back(scope / "attentions" / 0, config_, here, groups,
                                    config_.middle_scale);
  }

  void add_up(const Scope& scope) {
    std::int64_t in = channels(levels() - 1);
    for (std::int64_t i = levels() - 1; i >= 0; --i) {
      const Scope here = scope / (levels() - 1 - i);
      const std::int64_t out = channels(i), finer = channels(std::max<std::int64_t>(i - 1, 0));
      Level level;
      for (std::int64_t k = 0; k <= config_.layers; ++k) {
        const std::int64_t skip = k == config_.layers ? finer : out;
        level.blocks.push_back(residual(here / "resnets" / k, (k == 0 ? in : out) + skip, out));
      }
      add_attentions(here, i, level);
      in = out;
      const Scope above = here / "upsamplers" / 0;
      if (i > 0 && among(config_.resnet_upsampling, i, levels())) {
        level.resnet.emplace(residual(above, out, out, Resample::twice));
      } else if (i > 0) {
        level.convolution.emplace(above / "conv", out, out, 3);
      }
      up_.push_back(std::move(level));
      layers_at(places(i));
    }
  }

  void add_attentions(const Scope& scope, std::int64_t level, Level& made) const {
    if (!among(config_.attention, level, levels())) return;
    for (std::size_t k = 0; k < made.blocks.size(); ++k) {
      made.attentions.emplace_back(scope / "attentions" / static_cast<std::int64_t>(k), config_,
                                   channels(level), config_.norm_groups, 1.0);
    }
  }

  Tensor halved(const Level& level, const Tensor& h, const Tensor& time, Dropout& dropout) const {
    if (level.resnet) return (*level.resnet)(h, {}, time, dropout);
    return (*level.convolution)(
        level.convolution->padding > 0 ? h : at::constant_pad_nd(h, {0, 1, 0, 1}));
  }

  Tensor embedded(const Tensor& t, const Tensor& labels) const {
    Tensor seen;
    if (config_.time == UnetTime::fourier) {
      const Tensor angles = t.log().unsqueeze(1) * frequencies_.detach() * kTwoPi;
      seen = at::cat({angles.sin(), angles.cos()}, 1);
    } else {
      seen = time_embedding(
          t, config_.channels[0],
          {.frequency_shift = config_.frequency_shift, .cosines_first = config_.cosines_first});
    }
    const Tensor embedding = (*time2_)(at::silu((*time1_)(seen)));
    return labels_.defined() ? embedding + labels_.index_select(0, labels) : embedding;
  }

  KeptMemory kept_;
  UnetConfig config_;
  NetworkShape shape_;
  std::int64_t time_ = 0;
  std::optional<Convolution> conv_in_, conv_out_;
  std::optional<Dense> time1_, time2_;
  Tensor frequencies_, labels_;  // [channels], [classes + 1, time]
  std::vector<Level> down_, up_;
  Level middle_;
  Norm norm_out_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_unet(const void* config,
                                                     const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::UnetConfig;
  return new gradatim::neural::Unet(*static_cast<const UnetConfig*>(config), shape);
}
