#include "gradatim/neural/checkpoint/diffusers_config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {
namespace {

using Json = nlohmann::ordered_json;

// What UNet2DModel takes where config.json is silent.
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

// A config.json, asked field by field; a field of another type is refused by its name.
class Fields {
 public:
  Fields(Json given, std::string source) : source_(std::move(source)) {
    fields_ = Json::parse(kDefaults);
    fields_.update(given);
  }

  template <class T>
  T get(const char* name) const {
    try {
      return fields_.at(name).get<T>();
    } catch (const Json::exception&) {
      refuse(name);
    }
  }
  bool null(const char* name) const { return fields_.at(name).is_null(); }
  std::string text(const char* name) const { return fields_.at(name).dump(); }
  void want(bool good, const char* name) const {
    if (!good) refuse(name);
  }

 private:
  [[noreturn]] void refuse(const char* name) const {
    throw ModelError(3063, fmt::format("{}: neural.network.unet cannot have {} = {}", source_, name,
                                       text(name)));
  }

  Json fields_;
  std::string source_;
};

// Which levels have attention, and which are resampled by residual blocks.
struct Levels {
  std::vector<std::int64_t> attention, resnet;
};

// types: from the finest level on; the coarsest is not resampled.
Levels levels_of(const Fields& fields, const char* name, std::vector<std::string> types,
                 const std::string& plain, const std::string& by_resnet, const char* resampling) {
  Levels found;
  const std::string how = fields.null(resampling) ? "conv" : fields.get<std::string>(resampling);
  fields.want(how == "conv" || how == "resnet", resampling);
  for (std::size_t k = 0; k < types.size(); ++k) {
    std::string type = types[k];
    if (type.starts_with("UNetRes")) type = type.substr(7);  // diffusers' former names
    const auto level = static_cast<std::int64_t>(k);
    const bool attends = type == "Attn" + plain;
    fields.want(attends || type == plain || type == by_resnet, name);
    if (attends) found.attention.push_back(level);
    const bool resnet = type == by_resnet || (attends && how == "resnet");
    if (resnet && k + 1 < types.size()) found.resnet.push_back(level);
  }
  return found;
}

std::string joined(const std::vector<std::int64_t>& numbers) {
  return numbers.empty() ? "[]" : fmt::format("{}", fmt::join(numbers, ","));
}

void read_levels(const Fields& fields, std::vector<api::Option>& options) {
  const auto channels = fields.get<std::vector<std::int64_t>>("block_out_channels");
  const auto down = fields.get<std::vector<std::string>>("down_block_types");
  auto up = fields.get<std::vector<std::string>>("up_block_types");
  fields.want(down.size() == channels.size() && !down.empty(), "down_block_types");
  fields.want(up.size() == channels.size(), "up_block_types");
  std::reverse(up.begin(), up.end());
  const Levels below = levels_of(fields, "down_block_types", down, "DownBlock2D",
                                 "ResnetDownsampleBlock2D", "downsample_type");
  // The coarsest level comes first on the way up and the finest is not resampled behind.
  Levels above = levels_of(fields, "up_block_types", up, "UpBlock2D", "ResnetUpsampleBlock2D",
                           "upsample_type");
  above.resnet.clear();
  for (std::size_t k = 1; k < up.size(); ++k) {
    const bool attends = up[k].find("Attn") != std::string::npos;
    const bool by_type = up[k].find("ResnetUpsample") != std::string::npos;
    if (by_type || (attends && fields.text("upsample_type") == "\"resnet\"")) {
      above.resnet.push_back(static_cast<std::int64_t>(k));
    }
  }
  fields.want(below.attention == above.attention, "up_block_types");
  options.emplace_back("channels", joined(channels));
  options.emplace_back("attention", joined(below.attention));
  options.emplace_back("resnet_downsampling", joined(below.resnet));
  options.emplace_back("resnet_upsampling", joined(above.resnet));
}

std::string activation_of(const Fields& fields) {
  std::string name = fields.get<std::string>("act_fn");
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (name == "swish") name = "silu";
  fields.want(name == "silu" || name == "mish" || name == "gelu" || name == "relu", "act_fn");
  return name;
}

}  // namespace

api::Settings unet_settings(const Json& json, const std::string& source) {
  const Fields fields(json, source);
  std::vector<api::Option> options;
  read_levels(fields, options);
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
  fields.want(!middle || fields.get<std::string>("mid_block_type") == "UNetMidBlock2D",
              "mid_block_type");
  add("layers", whole("layers_per_block"));
  add("head_width", fields.null("attention_head_dim") ? "0" : whole("attention_head_dim"));
  add("scale_shift", shift == "scale_shift" ? "true" : "false");
  add("norm_groups", whole("norm_num_groups"));
  add("norm_epsilon", real("norm_eps"));
  add("dropout", real("dropout"));
  add("zero_init", "false");
  add("activation", activation_of(fields));
  add("downsample_padding", whole("downsample_padding"));
  add("middle", middle ? "true" : "false");
  add("middle_attention", flag("add_attention"));
  // Without a number, a middle with scales and shifts has no norm in front of its attention.
  const char* as_elsewhere = shift == "default" ? "-1" : "0";
  add("middle_norm_groups",
      fields.null("attn_norm_num_groups") ? as_elsewhere : whole("attn_norm_num_groups"));
  add("middle_scale", real("mid_block_scale_factor"));
  add("time", time);
  add("time_width", fields.null("time_embedding_dim") ? "0" : whole("time_embedding_dim"));
  add("cosines_first", flag("flip_sin_to_cos"));
  add("frequency_shift", real("freq_shift"));
  add("center_input", flag("center_input_sample"));
  return api::parse_settings("neural.network.unet", options);
}

NetworkShape unet_shape(const Json& json, const std::string& source) {
  const Fields fields(json, source);
  const auto in = fields.get<std::int64_t>("in_channels");
  const auto out = fields.get<std::int64_t>("out_channels");
  fields.want(in > 0, "in_channels");
  fields.want(out > 0 && out % in == 0, "out_channels");
  fields.want(!fields.null("sample_size"), "sample_size");
  fields.want(fields.null("class_embed_type"), "class_embed_type");
  NetworkShape shape{.outputs = out / in};
  if (fields.text("sample_size").starts_with("[")) {
    const auto sides = fields.get<std::vector<std::int64_t>>("sample_size");
    fields.want(sides.size() == 2, "sample_size");
    shape.sample = {in, sides[0], sides[1]};
  } else {
    const auto side = fields.get<std::int64_t>("sample_size");
    shape.sample = {in, side, side};
  }
  fields.want(shape.sample[1] > 0 && shape.sample[2] > 0, "sample_size");
  if (fields.null("num_class_embeds")) return shape;
  constexpr std::int64_t kMostClasses = 1 << 20;
  const auto embeddings = fields.get<std::int64_t>("num_class_embeds");
  fields.want(embeddings > 1 && embeddings <= kMostClasses, "num_class_embeds");
  shape.classes = embeddings - 1;
  return shape;
}

Json unet_json(const UnetConfig& config, const NetworkShape& shape) {
  const auto count = static_cast<std::int64_t>(config.channels.size);
  std::vector<std::string> down, up;
  for (std::int64_t level = 0; level < count; ++level) {
    const bool attends = among(config.attention, level, count);
    const bool by_half = among(config.resnet_downsampling, level, count) && level + 1 < count;
    const bool by_twice = among(config.resnet_upsampling, level, count) && level > 0;
    down.emplace_back(attends ? "AttnDownBlock2D"
                              : (by_half ? "ResnetDownsampleBlock2D" : "DownBlock2D"));
    up.emplace_back(attends ? "AttnUpBlock2D" : (by_twice ? "ResnetUpsampleBlock2D" : "UpBlock2D"));
  }
  // Levels with attention are resampled all in one way; -1 where they are not.
  const auto by_resnet = [&](const UnetLevels& levels, std::int64_t none) {
    int found = -1;
    for (std::int64_t level = 0; level < count; ++level) {
      if (!among(config.attention, level, count) || level == none) continue;
      const int here = among(levels, level, count) ? 1 : 0;
      GRADATIM_CHECK(found < 0 || found == here, ModelError, 3063,
                     "diffusers' UNet2DModel resamples all levels with attention in one way");
      found = here;
    }
    return found == 1 ? "resnet" : "conv";
  };
  const char* down_how = by_resnet(config.resnet_downsampling, count - 1);
  const char* up_how = by_resnet(config.resnet_upsampling, 0);
  std::reverse(up.begin(), up.end());
  Json json = Json::parse(kDefaults);
  if (shape.sample[1] == shape.sample[2]) {
    json["sample_size"] = shape.sample[1];
  } else {
    json["sample_size"] = {shape.sample[1], shape.sample[2]};
  }
  json["in_channels"] = shape.sample[0];
  json["out_channels"] = shape.sample[0] * shape.outputs;
  json["center_input_sample"] = config.center_input;
  json["time_embedding_type"] = config.time == UnetTime::fourier ? "fourier" : "positional";
  if (config.time_width > 0) json["time_embedding_dim"] = config.time_width;
  json["freq_shift"] = config.frequency_shift;
  json["flip_sin_to_cos"] = config.cosines_first;
  json["down_block_types"] = down;
  if (!config.middle) json["mid_block_type"] = nullptr;
  json["up_block_types"] = up;
  json["block_out_channels"] = std::vector<int>(config.channels.begin(), config.channels.end());
  json["layers_per_block"] = config.layers;
  json["mid_block_scale_factor"] = config.middle_scale;
  json["downsample_padding"] = config.downsample_padding;
  json["downsample_type"] = down_how;
  json["upsample_type"] = up_how;
  json["dropout"] = config.dropout;
  constexpr const char* kActivations[] = {"silu", "mish", "gelu", "relu"};
  json["act_fn"] = kActivations[static_cast<int>(config.activation)];
  json["attention_head_dim"] = config.head_width > 0 ? Json(config.head_width) : Json(nullptr);
  json["norm_num_groups"] = config.norm_groups;
  const int middle_groups =
      config.middle_norm_groups < 0 ? config.norm_groups : config.middle_norm_groups;
  const bool attends = config.middle && config.middle_attention;
  GRADATIM_CHECK(config.scale_shift || middle_groups > 0 || !attends, ModelError, 3063,
                 "diffusers' UNet2DModel without scale_shift has a norm in front of the middle's "
                 "attention; middle_norm_groups is 0");
  if (middle_groups > 0) json["attn_norm_num_groups"] = middle_groups;
  json["norm_eps"] = config.norm_epsilon;
  json["resnet_time_scale_shift"] = config.scale_shift ? "scale_shift" : "default";
  json["add_attention"] = config.middle_attention;
  if (shape.classes > 0) json["num_class_embeds"] = shape.classes + 1;
  return json;
}

}  // namespace gradatim::neural
