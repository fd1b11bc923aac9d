#include "gradatim/neural/checkpoint/text_config_json.h"

#include <fmt/format.h>

#include "gradatim/neural/checkpoint/diffusers_fields.h"
#include "gradatim/neural/text/byte_codec.h"

namespace gradatim::neural {
namespace {

// What CLIPTextModel takes where config.json is silent.
constexpr const char* kTextDefaults = R"({
  "model_type": "clip_text_model", "vocab_size": 49408, "hidden_size": 512,
  "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8,
  "max_position_embeddings": 77, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-05,
  "bos_token_id": 49406, "eos_token_id": 49407, "pad_token_id": 1
})";

TextActivation activation_of_text(const DiffusersFields& fields) {
  const auto name = fields.get<std::string>("hidden_act");
  fields.want(name == "quick_gelu" || name == "gelu", "hidden_act");
  return name == "gelu" ? TextActivation::gelu : TextActivation::quick_gelu;
}

}  // namespace

TextConfig read_text_config(const std::string& text, const std::string& source) {
  const auto json = DiffusersFields::Json::parse(text, nullptr, false);
  GRADATIM_CHECK(json.is_object(), ModelError, 3062, "{} is no JSON object", source);
  const DiffusersFields fields(DiffusersFields::Json::parse(kTextDefaults), json, source,
                               "the text network");
  const auto type = fields.get<std::string>("model_type");
  fields.want(type == "clip_text_model" || type == "clip", "model_type");
  // Memory is taken when the weights have been seen to fit; a product must not overflow before.
  const auto size = [&](const char* name, std::int64_t most) {
    const auto value = fields.get<std::int64_t>(name);
    fields.want(value >= 1 && value <= most, name);
    return value;
  };
  const TextConfig config{.width = size("hidden_size", 1 << 16),
                          .layers = size("num_hidden_layers", 1 << 10),
                          .heads = size("num_attention_heads", 1 << 10),
                          .inner = size("intermediate_size", 1 << 18),
                          .tokens = size("max_position_embeddings", 1 << 16),
                          .vocabulary = size("vocab_size", 1 << 24),
                          .activation = activation_of_text(fields),
                          .epsilon = fields.get<double>("layer_norm_eps")};
  fields.want(config.width % config.heads == 0, "num_attention_heads");
  fields.want(config.epsilon > 0.0 && config.epsilon < 1.0, "layer_norm_eps");
  return config;
}

std::string usual_pad(const TextConfig& config) {
  return config.activation == TextActivation::gelu ? "!" : kEndToken;
}

}  // namespace gradatim::neural
