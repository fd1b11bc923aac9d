// The way back of diffusers_config.h: settings and shape as a config.json.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/diffusers_config.h"
#include "gradatim/neural/nn/unet_plan.h"

namespace gradatim::neural {
namespace {

using Json = nlohmann::ordered_json;

// How levels with attention are resampled, which is one way for all; `none` is not resampled.
const char* resampling(const UnetPlan& plan, const UnetLevels& by_resnet, std::int64_t none) {
  int found = -1;
  for (std::int64_t level = 0; level < plan.levels(); ++level) {
    const bool attends = plan.has_attention(level) || plan.has_transformers(level);
    if (!attends || level == none) continue;
    const int here = among(by_resnet, level, plan.levels()) ? 1 : 0;
    GRADATIM_CHECK(found < 0 || found == here, ModelError, 3063,
                   "diffusers' UNet2DModel resamples all levels with attention in one way");
    found = here;
  }
  GRADATIM_CHECK(found < 1 || !plan.told(), ModelError, 3063,
                 "diffusers' UNet2DConditionModel resamples levels with attention by convolutions");
  return found == 1 ? "resnet" : "conv";
}

void write_levels(const UnetPlan& plan, Json& json) {
  const UnetConfig& config = plan.config;
  std::vector<std::string> down, up;
  for (std::int64_t level = 0; level < plan.levels(); ++level) {
    const bool by_half =
        among(config.resnet_downsampling, level, plan.levels()) && level + 1 < plan.levels();
    const bool by_twice = among(config.resnet_upsampling, level, plan.levels()) && level > 0;
    const std::string attends = plan.has_transformers(level) ? "CrossAttn"
                                : plan.has_attention(level)  ? "Attn"
                                                             : "";
    down.push_back(attends.empty() && by_half ? "ResnetDownsampleBlock2D"
                                              : attends + "DownBlock2D");
    up.push_back(attends.empty() && by_twice ? "ResnetUpsampleBlock2D" : attends + "UpBlock2D");
  }
  std::reverse(up.begin(), up.end());
  json["down_block_types"] = down;
  if (!config.middle) json["mid_block_type"] = nullptr;
  json["up_block_types"] = up;
  json["block_out_channels"] = std::vector<int>(config.channels.begin(), config.channels.end());
  const char* down_how = resampling(plan, config.resnet_downsampling, plan.levels() - 1);
  const char* up_how = resampling(plan, config.resnet_upsampling, 0);
  if (plan.told()) return;
  json["downsample_type"] = down_how;
  json["upsample_type"] = up_how;
}

// One number where all are equal, as files have it.
Json short_list(const std::vector<std::int64_t>& numbers) {
  const bool equal = std::ranges::all_of(numbers, [&](auto each) { return each == numbers[0]; });
  return equal ? Json(numbers[0]) : Json(numbers);
}

// diffusers has one field for the heads of transformers and the width of those elsewhere.
void write_transformers(const UnetPlan& plan, Json& json) {
  const UnetConfig& config = plan.config;
  std::vector<std::int64_t> heads, layers;
  for (std::int64_t level = 0; level < plan.levels(); ++level) {
    const std::int64_t width = config.head_width > 0 ? config.head_width : plan.channels(level);
    heads.push_back(plan.has_attention(level) ? width : plan.heads(level));
    layers.push_back(plan.transformer_layers(level));
  }
  const std::int64_t coarsest = plan.levels() - 1;
  GRADATIM_CHECK(!config.middle || heads.back() == plan.heads(coarsest), ModelError, 3063,
                 "diffusers' UNet2DConditionModel has one number for the heads of the middle and "
                 "their width in the coarsest level: {} and {}",
                 plan.heads(coarsest), heads.back());
  GRADATIM_CHECK(config.middle_attention || !config.middle, ModelError, 3063,
                 "diffusers' UNet2DConditionModel has a transformer in the middle");
  GRADATIM_CHECK(config.time == UnetTime::positional, ModelError, 3063,
                 "gradatim writes no UNet2DConditionModel whose time is fourier");
  json.erase("upcast_attention");  // changes nothing in float32: a file keeps its own
  json["attention_head_dim"] = short_list(heads);
  json["transformer_layers_per_block"] = short_list(layers);
  json["use_linear_projection"] = config.linear_projection;
  json["cross_attention_dim"] = plan.shape.context;
}

void write_attention(const UnetPlan& plan, Json& json) {
  const UnetConfig& config = plan.config;
  const std::int64_t unit = std::int64_t{1} << (plan.levels() - 1);
  GRADATIM_CHECK(plan.shape.sample[1] % unit == 0 && plan.shape.sample[2] % unit == 0, ModelError,
                 3063, "diffusers' UNet2DModel takes images whose sides are multiples of {}", unit);
  const int middle_groups =
      config.middle_norm_groups < 0 ? config.norm_groups : config.middle_norm_groups;
  GRADATIM_CHECK(config.scale_shift || middle_groups > 0 || !plan.middle_attends(), ModelError,
                 3063,
                 "diffusers' UNet2DModel without scale_shift has a norm in front of the middle's "
                 "attention; middle_norm_groups is 0");
  if (config.time == UnetTime::fourier) json["time_embedding_type"] = "fourier";
  json["attention_head_dim"] = config.head_width > 0 ? Json(config.head_width) : Json(nullptr);
  if (middle_groups > 0) json["attn_norm_num_groups"] = middle_groups;
  json["add_attention"] = config.middle_attention;
}

}  // namespace

Json unet_json(const UnetConfig& config, const NetworkShape& shape) {
  const UnetPlan plan{config, shape};
  Json json = unet_defaults(plan.told());
  if (shape.sample[1] == shape.sample[2]) {
    json["sample_size"] = shape.sample[1];
  } else {
    json["sample_size"] = {shape.sample[1], shape.sample[2]};
  }
  json["in_channels"] = shape.sample[0] + shape.beside;
  json["out_channels"] = shape.sample[0] * shape.outputs;
  json["center_input_sample"] = config.center_input;
  if (config.time_width > 0) json["time_embedding_dim"] = config.time_width;
  json["freq_shift"] = config.frequency_shift;
  json["flip_sin_to_cos"] = config.cosines_first;
  write_levels(plan, json);
  json["layers_per_block"] = config.layers;
  json["mid_block_scale_factor"] = config.middle_scale;
  json["downsample_padding"] = config.downsample_padding;
  json["dropout"] = config.dropout;
  constexpr const char* kActivations[] = {"silu", "mish", "gelu", "relu"};
  json["act_fn"] = kActivations[static_cast<int>(config.activation)];
  json["norm_num_groups"] = config.norm_groups;
  json["norm_eps"] = config.norm_epsilon;
  json["resnet_time_scale_shift"] = config.scale_shift ? "scale_shift" : "default";
  plan.told() ? write_transformers(plan, json) : write_attention(plan, json);
  if (shape.classes > 0) json["num_class_embeds"] = shape.classes + 1;
  return json;
}

}  // namespace gradatim::neural
