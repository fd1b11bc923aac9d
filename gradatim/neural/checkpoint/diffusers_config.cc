#include "gradatim/neural/checkpoint/diffusers_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "gradatim/core/text.h"
#include "gradatim/neural/checkpoint/diffusers_fields.h"

namespace gradatim::neural {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kDefaults = R"({
  "sample_size": null, "in_channels": 3, "out_channels": 3, "center_input_sample": false,
  "time_embedding_type": "positional", "time_embedding_dim": null, "freq_shift": 0,
  "flip_sin_to_cos": true,
  "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
  "mid_block_type": "UNetMidBlock2D",
  "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"],
  "block_out_channels": [224, 448, 672, 896], "layers_per_block": 2, "mid_block_scale_factor": 1,
  "downsample_padding": 1, "downsample_type": "conv", "upsample_type": "conv", "dropout": 0.0,
  "act_fn": "silu", "attention_head_dim": 8, "norm_num_groups": 32, "attn_norm_num_groups": null,
  "norm_eps": 1e-05, "resnet_time_scale_shift": "default", "add_attention": true,
  "class_embed_type": null, "num_class_embeds": null, "num_train_timesteps": null
})";

constexpr const char* kConditionalDefaults = R"({
  "sample_size": null, "in_channels": 4, "out_channels": 4, "center_input_sample": false,
  "flip_sin_to_cos": true, "freq_shift": 0,
  "down_block_types": ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D",
                       "DownBlock2D"],
  "mid_block_type": "UNetMidBlock2DCrossAttn",
  "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D",
                     "CrossAttnUpBlock2D"],
  "only_cross_attention": false, "block_out_channels": [320, 640, 1280, 1280],
  "layers_per_block": 2, "downsample_padding": 1, "mid_block_scale_factor": 1, "dropout": 0.0,
  "act_fn": "silu", "norm_num_groups": 32, "norm_eps": 1e-05, "cross_attention_dim": 1280,
  "transformer_layers_per_block": 1, "reverse_transformer_layers_per_block": null,
  "encoder_hid_dim": null, "encoder_hid_dim_type": null, "attention_head_dim": 8,
  "num_attention_heads": null, "dual_cross_attention": false, "use_linear_projection": false,
  "class_embed_type": null, "addition_embed_type": null, "addition_time_embed_dim": null,
  "num_class_embeds": null, "upcast_attention": false, "resnet_time_scale_shift": "default",
  "resnet_skip_time_act": false, "resnet_out_scale_factor": 1.0,
  "time_embedding_type": "positional", "time_embedding_dim": null, "time_embedding_act_fn": null,
  "timestep_post_act": null, "time_cond_proj_dim": null, "conv_in_kernel": 3,
  "conv_out_kernel": 3, "projection_class_embeddings_input_dim": null,
  "attention_type": "default", "class_embeddings_concat": false,
  "mid_block_only_cross_attention": null, "cross_attention_norm": null,
  "addition_embed_type_num_heads": 64
})";

// Fields of a UNet2DConditionModel that are read, or that do not change what it computes; the
// others must be its defaults.
constexpr std::string_view kUnderstood[] = {"sample_size",
                                            "in_channels",
                                            "out_channels",
                                            "center_input_sample",
                                            "flip_sin_to_cos",
                                            "freq_shift",
                                            "down_block_types",
                                            "mid_block_type",
                                            "up_block_types",
                                            "block_out_channels",
                                            "layers_per_block",
                                            "downsample_padding",
                                            "mid_block_scale_factor",
                                            "dropout",
                                            "act_fn",
                                            "norm_num_groups",
                                            "norm_eps",
                                            "cross_attention_dim",
                                            "attention_head_dim",
                                            "num_class_embeds",
                                            "transformer_layers_per_block",
                                            "use_linear_projection",
                                            "upcast_attention",
                                            "resnet_time_scale_shift",
                                            "time_embedding_dim",
                                            "addition_time_embed_dim",
                                            "addition_embed_type_num_heads"};

bool is_conditional(const Json& json) {
  return json.value("_class_name", Json("UNet2DModel")) == "UNet2DConditionModel";
}

DiffusersFields fields_of(const Json& json, const std::string& source) {
  const bool conditional = is_conditional(json);
  const Json defaults = unet_defaults(conditional);
  DiffusersFields fields(defaults, json, source);
  if (!conditional) return fields;
  for (const auto& [name, value] : defaults.items()) {
    const bool read = std::ranges::find(kUnderstood, name) != std::end(kUnderstood);
    const bool unchanged = !json.contains(name) || json[name] == value || json[name].is_null();
    fields.want(read || unchanged, name.c_str());
  }
  return fields;
}

// Which levels have which attention, and which are resampled by residual blocks.
struct Levels {
  std::vector<std::int64_t> attention, cross_attention, resnet;
};

// types: from the finest level on; the coarsest is not resampled.
Levels levels_of(const DiffusersFields& fields, const char* name, std::vector<std::string> types,
                 const std::string& plain, const std::string& by_resnet, const char* resampling,
                 bool conditional) {
  Levels found;
  const std::string how = fields.null(resampling) ? "conv" : fields.get<std::string>(resampling);
  fields.want(how == "conv" || how == "resnet", resampling);
  for (std::size_t k = 0; k < types.size(); ++k) {
    std::string type = types[k];
    if (type.starts_with("UNetRes")) type = type.substr(7);  // diffusers' former names
    const auto level = static_cast<std::int64_t>(k);
    const bool attends = type == "Attn" + plain;
    const bool transforms = conditional && type == "CrossAttn" + plain;
    fields.want(attends || transforms || type == plain || type == by_resnet, name);
    if (attends) found.attention.push_back(level);
    if (transforms) found.cross_attention.push_back(level);
    const bool resnet = type == by_resnet || (attends && how == "resnet");
    if (resnet && k + 1 < types.size()) found.resnet.push_back(level);
  }
  return found;
}

std::string joined(const std::vector<std::int64_t>& numbers) {
  return numbers.empty() ? "[]" : fmt::format("{}", fmt::join(numbers, ","));
}

// Of a field with one number, or one a level.
std::vector<std::int64_t> by_level(const DiffusersFields& fields, const char* name,
                                   std::size_t levels) {
  if (!fields.list(name)) return {fields.get<std::int64_t>(name)};
  const auto numbers = fields.get<std::vector<std::int64_t>>(name);
  fields.want(numbers.size() == levels, name);
  return numbers;
}

// attention_head_dim is the number of heads of transformers, and the width of a head elsewhere,
// where diffusers does not reverse its list on the way up.
void read_heads(const DiffusersFields& fields, const Levels& levels, std::size_t count,
                std::vector<api::Option>& options) {
  const auto numbers = by_level(fields, "attention_head_dim", count);
  options.emplace_back("heads", joined(numbers));
  std::optional<std::int64_t> width;
  for (const std::int64_t level : levels.attention) {
    const auto k = static_cast<std::size_t>(level);
    const std::int64_t here = numbers.size() == 1 ? numbers[0] : numbers[k];
    const std::int64_t up = numbers.size() == 1 ? numbers[0] : numbers[count - 1 - k];
    fields.want(width.value_or(here) == here && up == here, "attention_head_dim");
    width = here;
  }
  options.emplace_back("head_width", std::to_string(width.value_or(0)));
  options.emplace_back("transformer_layers",
                       joined(by_level(fields, "transformer_layers_per_block", count)));
}

void read_levels(const DiffusersFields& fields, bool conditional,
                 std::vector<api::Option>& options) {
  const auto channels = fields.get<std::vector<std::int64_t>>("block_out_channels");
  const auto down = fields.get<std::vector<std::string>>("down_block_types");
  auto up = fields.get<std::vector<std::string>>("up_block_types");
  fields.want(down.size() == channels.size() && !down.empty(), "down_block_types");
  fields.want(up.size() == channels.size(), "up_block_types");
  std::reverse(up.begin(), up.end());
  const Levels below = levels_of(fields, "down_block_types", down, "DownBlock2D",
                                 "ResnetDownsampleBlock2D", "downsample_type", conditional);
  // The coarsest level comes first on the way up and the finest is not resampled behind.
  Levels above = levels_of(fields, "up_block_types", up, "UpBlock2D", "ResnetUpsampleBlock2D",
                           "upsample_type", conditional);
  above.resnet.clear();
  for (std::size_t k = 1; k < up.size(); ++k) {
    const bool attends = up[k].find("Attn") != std::string::npos;
    const bool by_type = up[k].find("ResnetUpsample") != std::string::npos;
    if (by_type || (attends && fields.text("upsample_type") == "\"resnet\"")) {
      above.resnet.push_back(static_cast<std::int64_t>(k));
    }
  }
  fields.want(below.attention == above.attention && below.cross_attention == above.cross_attention,
              "up_block_types");
  options.emplace_back("channels", joined(channels));
  options.emplace_back("attention", joined(below.attention));
  options.emplace_back("resnet_downsampling", joined(below.resnet));
  options.emplace_back("resnet_upsampling", joined(above.resnet));
  if (!conditional) return;
  options.emplace_back("cross_attention", joined(below.cross_attention));
  read_heads(fields, below, channels.size(), options);
}

std::string activation_of(const DiffusersFields& fields) {
  std::string name = fields.get<std::string>("act_fn");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "swish") name = "silu";
  fields.want(name == "silu" || name == "mish" || name == "gelu" || name == "relu", "act_fn");
  return name;
}

}  // namespace

Json unet_defaults(bool conditional) {
  return Json::parse(conditional ? kConditionalDefaults : kDefaults);
}

api::Settings unet_settings(const Json& json, const std::string& source) {
  const DiffusersFields fields = fields_of(json, source);
  const bool conditional = is_conditional(json);
  std::vector<api::Option> options;
  read_levels(fields, conditional, options);
  const auto add = [&](const char* name, std::string text) {
    options.emplace_back(name, std::move(text));
  };
  const auto whole = [&](const char* field) {
    return std::to_string(fields.get<std::int64_t>(field));
  };
  const auto real = [&](const char* field) { return number_text(fields.get<double>(field)); };
  const auto flag = [&](const char* field) {
    return std::string(fields.get<bool>(field) ? "true" : "false");
  };
  const auto shift = fields.get<std::string>("resnet_time_scale_shift");
  fields.want(shift == "default" || shift == "scale_shift", "resnet_time_scale_shift");
  const auto time = fields.get<std::string>("time_embedding_type");
  fields.want(time == "positional" || time == "fourier", "time_embedding_type");
  const bool middle = !fields.null("mid_block_type");
  const char* usual = conditional ? "UNetMidBlock2DCrossAttn" : "UNetMidBlock2D";
  fields.want(!middle || fields.get<std::string>("mid_block_type") == usual, "mid_block_type");
  add("layers", whole("layers_per_block"));
  add("scale_shift", shift == "scale_shift" ? "true" : "false");
  add("norm_groups", whole("norm_num_groups"));
  add("norm_epsilon", real("norm_eps"));
  add("dropout", real("dropout"));
  add("zero_init", "false");
  add("activation", activation_of(fields));
  add("downsample_padding", whole("downsample_padding"));
  add("middle", middle ? "true" : "false");
  if (conditional) {
    add("linear_projection", flag("use_linear_projection"));
  } else {
    add("head_width", fields.null("attention_head_dim") ? "0" : whole("attention_head_dim"));
    add("middle_attention", flag("add_attention"));
    // Without a number, a middle with scales and shifts has no norm in front of its attention.
    const char* as_elsewhere = shift == "default" ? "-1" : "0";
    add("middle_norm_groups",
        fields.null("attn_norm_num_groups") ? as_elsewhere : whole("attn_norm_num_groups"));
  }
  add("middle_scale", real("mid_block_scale_factor"));
  add("time", time);
  add("time_width", fields.null("time_embedding_dim") ? "0" : whole("time_embedding_dim"));
  add("cosines_first", flag("flip_sin_to_cos"));
  add("frequency_shift", real("freq_shift"));
  add("center_input", flag("center_input_sample"));
  return api::parse_settings("neural.network.unet", options);
}

NetworkShape unet_shape(const Json& json, const std::string& source) {
  const DiffusersFields fields = fields_of(json, source);
  const bool conditional = is_conditional(json);
  const auto in = fields.get<std::int64_t>("in_channels");
  const auto out = fields.get<std::int64_t>("out_channels");
  fields.want(in > 0, "in_channels");
  const bool beside = conditional && out > 0 && out < in;  // of what is not put out again
  fields.want(out > 0 && (out % in == 0 || beside), "out_channels");
  fields.want(!fields.null("sample_size"), "sample_size");
  fields.want(fields.null("class_embed_type"), "class_embed_type");
  NetworkShape shape{.outputs = beside ? 1 : out / in, .beside = beside ? in - out : 0};
  const std::int64_t channels = in - shape.beside;
  if (fields.list("sample_size")) {
    const auto sides = fields.get<std::vector<std::int64_t>>("sample_size");
    fields.want(sides.size() == 2, "sample_size");
    shape.sample = {channels, sides[0], sides[1]};
  } else {
    const auto side = fields.get<std::int64_t>("sample_size");
    shape.sample = {channels, side, side};
  }
  fields.want(shape.sample[1] > 0 && shape.sample[2] > 0, "sample_size");
  if (conditional) {
    shape.context = fields.get<std::int64_t>("cross_attention_dim");
    fields.want(shape.context > 0, "cross_attention_dim");
  }
  if (fields.null("num_class_embeds")) return shape;
  constexpr std::int64_t kMostClasses = 1 << 20;
  const auto embeddings = fields.get<std::int64_t>("num_class_embeds");
  fields.want(embeddings > 1 && embeddings <= kMostClasses, "num_class_embeds");
  shape.classes = embeddings - 1;
  return shape;
}

}  // namespace gradatim::neural
