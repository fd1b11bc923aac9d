#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/neural/checkpoint/diffusers_autoencoder.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/checkpoint/diffusers_scheduler.h"
#include "gradatim/neural/stable/parts.h"
#include "gradatim/neural/text/clip_tokenizer.h"

namespace gradatim::neural {
namespace {

namespace fs = std::filesystem;

TextConfig text_config_of(const std::string& path) {
  const auto json = nlohmann::json::parse(MappedFile(path).bytes(), nullptr, false);
  TextConfig config;
  config.width = json.at("hidden_size");
  config.layers = json.at("num_hidden_layers");
  config.heads = json.at("num_attention_heads");
  config.inner = json.at("intermediate_size");
  config.vocabulary = json.at("vocab_size");
  config.activation =
      json.at("hidden_act") == "quick_gelu" ? TextActivation::quick_gelu : TextActivation::gelu;
  return config;
}

// As diffusers' pipelines change the scheduler of a checkpoint: timesteps begin at 1, and data,
// which are latents, are not held in a range.
std::string of_pipeline(const std::string& config) {
  auto json = nlohmann::ordered_json::parse(config, nullptr, false);
  if (!json.is_object()) return config;  // refused elsewhere
  if (json.contains("steps_offset")) json["steps_offset"] = 1;
  if (json.contains("clip_sample")) json["clip_sample"] = false;
  return json.dump();
}

}  // namespace

StableParts load_stable_parts(const CheckpointRequest& request) {
  const fs::path root(request.path);
  StableParts parts;
  const UnetFolder folder = read_unet_folder((root / "unet").string());
  parts.shape = folder.shape;
  parts.unet = load_unet(folder);
  const AutoencoderFolder vae = read_autoencoder_folder((root / "vae").string());
  KlParts kl = load_autoencoder(vae);
  parts.autoencoder = kl.net;
  parts.autoencoder_parameters = kl.parameters;
  parts.factor = kl.factor;
  parts.unit = std::int64_t{1} << (vae.config.channels.size - 1);
  auto text = std::make_shared<Parameters>();
  parts.text = std::make_shared<TextTransformer>(
      Scope(*text), text_config_of((root / "text_encoder" / "config.json").string()));
  const SafetensorsFile file((root / "text_encoder" / "model.safetensors").string());
  text->pack();
  for (const auto& item : text->items()) {
    auto numbers = file.read<float>(file.has(item.name) ? item.name : "text_model." + item.name);
    const at::NoGradGuard plain;
    item.value.copy_(at::from_blob(numbers.data(), item.value.sizes(), at::kFloat));
  }
  parts.text_parameters = text;
  if (fs::exists(root / "tokenizer")) {
    parts.tokenizer = read_clip_tokenizer((root / "tokenizer").string());
  }
  parts.no_tokenizer = fmt::format("{} has no tokenizer", request.path);
  const fs::path own = root / "scheduler" / "scheduler_config.json";
  parts.scheduler = request.scheduler.empty()
                        ? of_pipeline(std::string(MappedFile(own.string()).bytes()))
                        : std::string(MappedFile(request.scheduler).bytes());
  const SchedulerParts scheduler = read_scheduler(parts.scheduler);
  parts.path = api::build_as<process::Path>(scheduler.path);
  parts.prediction = api::build_as<process::Prediction>(scheduler.prediction);
  return parts;
}

}  // namespace gradatim::neural
