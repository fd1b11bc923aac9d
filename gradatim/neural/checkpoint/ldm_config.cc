#include "gradatim/neural/checkpoint/ldm_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/neural/checkpoint/ldm_names.h"

namespace gradatim::neural {
namespace {

using LdmJson = nlohmann::ordered_json;

constexpr std::int64_t kUsualGroups = 32, kUsualHeads = 8, kUsualHeadWidth = 64;
constexpr const char* kDiffusersVersion = "0.42.1";

// Arrays of one network, asked for their shapes.
class LdmShapes {
 public:
  LdmShapes(const StoredArrays& arrays, std::string source)
      : arrays_(&arrays), source_(std::move(source)) {
    for (const auto& [name, array] : arrays) names_.insert(name);
  }
  std::int64_t size(const std::string& name, std::size_t dimension) const {
    const auto at = arrays_->find(name);
    GRADATIM_CHECK(at != arrays_->end(), ModelError, 3064, "{}: the weights lack '{}'", source_,
                   name);
    const auto& shape = at->second.shape;
    GRADATIM_CHECK(dimension < shape.size() && shape[dimension] > 0, ModelError, 3003,
                   "{}: '{}' has shape [{}], which is no layer's", source_, name,
                   fmt::join(shape, ", "));
    return shape[dimension];
  }
  std::size_t dimensions(const std::string& name) const {
    size(name, 0);
    return arrays_->at(name).shape.size();
  }
  bool begins(const std::string& prefix) const { return any_begins(names_, prefix); }
  std::int64_t count(const std::string& prefix) const { return count_numbered(names_, prefix); }

 private:
  const StoredArrays* arrays_;
  std::string source_;
  Names names_;
};

std::int64_t ldm_groups(const std::vector<std::int64_t>& channels, std::int64_t told) {
  if (told > 0) return told;
  const auto divides = [&](std::int64_t groups) {
    return std::ranges::all_of(channels, [&](auto each) { return each % groups == 0; });
  };
  std::int64_t groups = kUsualGroups;
  while (!divides(groups)) groups /= 2;
  return groups;
}

std::vector<std::int64_t> ldm_channels(const LdmShapes& shapes, const std::string& levels) {
  std::vector<std::int64_t> channels;
  for (std::int64_t i = 0; i < std::max<std::int64_t>(shapes.count(levels), 1); ++i) {
    channels.push_back(shapes.size(fmt::format("{}{}.resnets.0.conv1.weight", levels, i), 0));
  }
  return channels;
}

// One number where all are equal.
LdmJson number_or_list(const std::vector<std::int64_t>& numbers) {
  const bool equal = std::ranges::all_of(numbers, [&](auto each) { return each == numbers[0]; });
  return equal ? LdmJson(numbers[0]) : LdmJson(numbers);
}

// Heads of a level, which the arrays do not tell.
std::int64_t ldm_heads(std::int64_t channels, bool linear, std::int64_t told) {
  if (told > 0) return told;
  if (linear && channels % kUsualHeadWidth == 0) return channels / kUsualHeadWidth;
  return kUsualHeads;
}

void add_unet_levels(const LdmShapes& shapes, const std::vector<std::int64_t>& channels,
                     const LdmGuess& guess, LdmJson& json) {
  std::vector<std::string> down, up;
  std::vector<std::int64_t> heads, layers;
  const std::string middle = "mid_block.attentions.0.";
  const bool linear = shapes.dimensions(middle + "proj_in.weight") == 2;
  for (std::size_t i = 0; i < channels.size(); ++i) {
    const std::string blocks = fmt::format("down_blocks.{}.attentions.0.", i);
    const bool attends = shapes.begins(blocks);
    down.emplace_back(attends ? "CrossAttnDownBlock2D" : "DownBlock2D");
    up.emplace_back(attends ? "CrossAttnUpBlock2D" : "UpBlock2D");
    heads.push_back(ldm_heads(channels[i], linear, guess.heads));
    layers.push_back(shapes.count((attends ? blocks : middle) + "transformer_blocks."));
  }
  std::ranges::reverse(up);
  json["down_block_types"] = down;
  json["up_block_types"] = up;
  json["attention_head_dim"] = number_or_list(heads);
  json["transformer_layers_per_block"] = number_or_list(layers);
  json["cross_attention_dim"] = shapes.size(middle + "transformer_blocks.0.attn2.to_k.weight", 1);
  json["use_linear_projection"] = linear;
}

LdmJson unet_config(const LdmShapes& shapes, const LdmGuess& guess, std::int64_t side) {
  const auto channels = ldm_channels(shapes, "down_blocks.");
  LdmJson json{{"_class_name", "UNet2DConditionModel"},
               {"_diffusers_version", kDiffusersVersion},
               {"sample_size", side},
               {"in_channels", shapes.size("conv_in.weight", 1)},
               {"out_channels", shapes.size("conv_out.weight", 0)},
               {"block_out_channels", channels},
               {"layers_per_block", shapes.count("down_blocks.0.resnets.")},
               {"norm_num_groups", ldm_groups(channels, guess.norm_groups)},
               {"flip_sin_to_cos", true},
               {"freq_shift", 0}};
  add_unet_levels(shapes, channels, guess, json);
  return json;
}

LdmJson autoencoder_config(const LdmShapes& shapes, const LdmGuess& guess, std::int64_t latents) {
  const auto channels = ldm_channels(shapes, "encoder.down_blocks.");
  const std::vector<std::string> down(channels.size(), "DownEncoderBlock2D");
  const std::vector<std::string> up(channels.size(), "UpDecoderBlock2D");
  return {{"_class_name", "AutoencoderKL"},
          {"_diffusers_version", kDiffusersVersion},
          {"in_channels", shapes.size("encoder.conv_in.weight", 1)},
          {"out_channels", shapes.size("decoder.conv_out.weight", 0)},
          {"latent_channels", shapes.size("decoder.conv_in.weight", 1)},
          {"block_out_channels", channels},
          {"down_block_types", down},
          {"up_block_types", up},
          {"layers_per_block", shapes.count("encoder.down_blocks.0.resnets.")},
          {"norm_num_groups", ldm_groups(channels, guess.norm_groups)},
          {"sample_size", latents << std::min<std::size_t>(channels.size() - 1, 10)},
          {"mid_block_add_attention", shapes.begins("encoder.mid_block.attentions.")},
          {"scaling_factor", 0.18215}};
}

LdmJson ldm_text_config(const LdmShapes& all, bool open_clip) {
  const std::string prefix = all.begins("text_model.") ? "text_model." : "";
  const std::string token = prefix + "embeddings.token_embedding.weight";
  const std::int64_t width = all.size(token, 1), vocabulary = all.size(token, 0);
  return {{"architectures", {"CLIPTextModel"}},
          {"model_type", "clip_text_model"},
          {"hidden_size", width},
          {"intermediate_size", all.size(prefix + "encoder.layers.0.mlp.fc1.weight", 0)},
          {"num_hidden_layers", all.count(prefix + "encoder.layers.")},
          {"num_attention_heads", std::max<std::int64_t>(1, width / kUsualHeadWidth)},
          {"max_position_embeddings", all.size(prefix + "embeddings.position_embedding.weight", 0)},
          {"vocab_size", vocabulary},
          {"hidden_act", open_clip ? "gelu" : "quick_gelu"},
          {"layer_norm_eps", 1e-5},
          {"attention_dropout", 0.0},
          {"initializer_factor", 1.0},
          {"initializer_range", 0.02},
          {"bos_token_id", std::max<std::int64_t>(0, vocabulary - 2)},
          {"eos_token_id", std::max<std::int64_t>(0, vocabulary - 1)},
          {"pad_token_id", std::min<std::int64_t>(1, vocabulary - 1)},
          {"projection_dim", open_clip ? 512 : width}};
}

LdmJson ldm_scheduler(const std::string& prediction) {
  const bool v = prediction == "v_prediction";
  return {{"_class_name", v ? "DDIMScheduler" : "PNDMScheduler"},
          {"_diffusers_version", kDiffusersVersion},
          {"num_train_timesteps", 1000},
          {"beta_start", 0.00085},
          {"beta_end", 0.012},
          {"beta_schedule", "scaled_linear"},
          {"trained_betas", nullptr},
          {"prediction_type", prediction},
          {"set_alpha_to_one", false},
          {"skip_prk_steps", true},
          {"steps_offset", 1},
          {"clip_sample", false},
          {"timestep_spacing", "leading"}};
}

LdmJson ldm_model_index(const std::string& scheduler) {
  const LdmJson none = {nullptr, nullptr};
  return {{"_class_name", "StableDiffusionPipeline"},
          {"_diffusers_version", kDiffusersVersion},
          {"feature_extractor", none},
          {"image_encoder", none},
          {"requires_safety_checker", false},
          {"safety_checker", none},
          {"scheduler", {"diffusers", scheduler}},
          {"text_encoder", {"transformers", "CLIPTextModel"}},
          {"tokenizer", {"transformers", "CLIPTokenizer"}},
          {"unet", {"diffusers", "UNet2DConditionModel"}},
          {"vae", {"diffusers", "AutoencoderKL"}}};
}

// Of Stable Diffusion 2 both were published, with one and the same shapes.
std::string ldm_prediction(const LdmArrays& parts, const LdmJson& unet, const LdmGuess& guess,
                           std::vector<std::string>& notes) {
  if (guess.prediction != "automatic") return guess.prediction;
  const bool inpaints = unet.at("in_channels") != unet.at("out_channels");
  if (!parts.open_clip || inpaints) return "epsilon";
  notes.emplace_back(
      "a single file does not tell what the network says; it is taken for v, as of Stable "
      "Diffusion 2 at 768 pixels; a prediction of epsilon is that of the one at 512");
  return "v_prediction";
}

}  // namespace

std::string usual_scheduler(const std::string& prediction) {
  return ldm_scheduler(prediction).dump(2) + "\n";
}

std::map<std::string, std::string> ldm_configs(const LdmArrays& parts, const LdmGuess& guess,
                                               const std::string& source,
                                               std::vector<std::string>& notes) {
  LdmJson unet = unet_config({parts.unet, source}, guess, 64);
  const std::string prediction = ldm_prediction(parts, unet, guess, notes);
  if (prediction == "v_prediction") unet["sample_size"] = 96;
  const LdmShapes autoencoder(parts.autoencoder, source);
  const LdmJson scheduler = ldm_scheduler(prediction);
  const LdmJson vae = autoencoder_config(autoencoder, guess, unet["sample_size"]);
  if (guess.norm_groups == 0 &&
      (unet["norm_num_groups"] != kUsualGroups || vae["norm_num_groups"] != kUsualGroups)) {
    notes.push_back(
        fmt::format("the groups of norms are not in the file; {} are taken of the "
                    "U-Net and {} of the autoencoder",
                    unet["norm_num_groups"].dump(), vae["norm_num_groups"].dump()));
  }
  const auto text = [](const LdmJson& json) { return json.dump(2) + "\n"; };
  return {
      {"model_index.json", text(ldm_model_index(scheduler["_class_name"]))},
      {"unet/config.json", text(unet)},
      {"vae/config.json", text(vae)},
      {"text_encoder/config.json", text(ldm_text_config({parts.text, source}, parts.open_clip))},
      {"scheduler/scheduler_config.json", text(scheduler)}};
}

}  // namespace gradatim::neural
