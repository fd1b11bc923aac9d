#include "gradatim/neural/nn/unet_level.h"

#include <algorithm>

namespace gradatim::neural {
namespace {

ResidualBlock residual(const Scope& scope, const UnetPlan& plan, std::int64_t in, std::int64_t out,
                       Resample resample = Resample::none, double scale = 1.0) {
  return ResidualBlock(scope, {.config = plan.config,
                               .time = plan.time(),
                               .in = in,
                               .out = out,
                               .resample = resample,
                               .scale = scale});
}

}  // namespace

UnetLevel UnetLevel::down(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                          std::size_t& places) {
  const std::int64_t out = plan.channels(level);
  const std::int64_t in = plan.channels(std::max<std::int64_t>(level - 1, 0));
  UnetLevel made;
  for (std::int64_t k = 0; k < plan.config.layers; ++k) {
    made.blocks_.push_back(residual(scope / "resnets" / k, plan, k == 0 ? in : out, out));
  }
  made.add_attentions(scope, plan, level, places);
  const Scope below = scope / "downsamplers" / 0;
  const bool last = level + 1 == plan.levels();
  if (!last && among(plan.config.resnet_downsampling, level, plan.levels())) {
    made.resnet_.emplace(residual(below, plan, out, out, Resample::half));
  } else if (!last) {
    made.convolution_.emplace(below / "conv", out, out, 3);
    made.convolution_->stride = 2;
    made.convolution_->padding = plan.config.downsample_padding;
  }
  return made;
}

UnetLevel UnetLevel::middle(const Scope& scope, const UnetPlan& plan, std::size_t& places) {
  const UnetConfig& config = plan.config;
  const std::int64_t coarsest = plan.levels() - 1, here = plan.channels(coarsest);
  UnetLevel made;
  for (std::int64_t k = 0; k < 2; ++k) {
    made.blocks_.push_back(
        residual(scope / "resnets" / k, plan, here, here, Resample::none, config.middle_scale));
  }
  if (config.middle_attention && plan.told()) {
    made.add_transformer(scope / "attentions" / 0, plan, coarsest, places);
  } else if (config.middle_attention) {
    const std::int64_t groups =
        config.middle_norm_groups < 0 ? config.norm_groups : config.middle_norm_groups;
    made.attentions_.emplace_back(scope / "attentions" / 0, config, here, groups,
                                  config.middle_scale);
  }
  return made;
}

UnetLevel UnetLevel::up(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                        std::size_t& places) {
  const UnetConfig& config = plan.config;
  const std::int64_t in = plan.channels(std::min(level + 1, plan.levels() - 1));
  const std::int64_t out = plan.channels(level);
  const std::int64_t finer = plan.channels(std::max<std::int64_t>(level - 1, 0));
  UnetLevel made;
  for (std::int64_t k = 0; k <= config.layers; ++k) {
    const std::int64_t skip = k == config.layers ? finer : out;
    made.blocks_.push_back(residual(scope / "resnets" / k, plan, (k == 0 ? in : out) + skip, out));
  }
  made.add_attentions(scope, plan, level, places);
  const Scope above = scope / "upsamplers" / 0;
  if (level > 0 && among(config.resnet_upsampling, level, plan.levels())) {
    made.resnet_.emplace(residual(above, plan, out, out, Resample::twice));
  } else if (level > 0) {
    made.convolution_.emplace(above / "conv", out, out, 3);
  }
  return made;
}

void UnetLevel::add_attentions(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                               std::size_t& places) {
  for (std::size_t k = 0; k < blocks_.size(); ++k) {
    const Scope here = scope / "attentions" / static_cast<std::int64_t>(k);
    if (plan.has_transformers(level)) add_transformer(here, plan, level, places);
    if (plan.has_attention(level)) {
      attentions_.emplace_back(here, plan.config, plan.channels(level), plan.config.norm_groups,
                               1.0);
    }
  }
}

void UnetLevel::add_transformer(const Scope& scope, const UnetPlan& plan, std::int64_t level,
                                std::size_t& places) {
  const UnetTransformer::Plan made{.channels = plan.channels(level),
                                   .context = plan.shape.context,
                                   .heads = plan.heads(level),
                                   .layers = plan.transformer_layers(level),
                                   .norm_groups = plan.config.norm_groups,
                                   .linear = plan.config.linear_projection,
                                   .zero_init = plan.config.zero_init,
                                   .first_place = places};
  transformers_.emplace_back(scope, made);
  places += static_cast<std::size_t>(made.layers);
}

Tensor UnetLevel::block(std::size_t k, const Tensor& x, const Tensor& skip, UnetSeen& seen) const {
  const Tensor h = blocks_[k](x, skip, seen.time, seen.dropout);
  if (k < attentions_.size()) return attentions_[k](h);
  return k < transformers_.size() ? transformers_[k](h, seen.text) : h;
}

Tensor UnetLevel::halved(const Tensor& x, UnetSeen& seen) const {
  if (resnet_) return (*resnet_)(x, {}, seen.time, seen.dropout);
  return (*convolution_)(convolution_->padding > 0 ? x : at::constant_pad_nd(x, {0, 1, 0, 1}));
}

Tensor UnetLevel::enlarged(const Tensor& x, at::IntArrayRef size, UnetSeen& seen) const {
  if (resnet_) return (*resnet_)(x, {}, seen.time, seen.dropout, size);
  return (*convolution_)(at::upsample_nearest2d(x, size));
}

}  // namespace gradatim::neural
