#include <nlohmann/json.hpp>

#include "gradatim/neural/checkpoint/diffusers_scheduler.h"
#include "gradatim/neural/checkpoint/lora.h"
#include "gradatim/neural/checkpoint/stable_diffusion.h"
#include "gradatim/neural/checkpoint/textual_inversion.h"
#include "gradatim/neural/network/unet.h"
#include "gradatim/neural/stable/parts.h"
#include "gradatim/neural/stable/prepared.h"

namespace gradatim::neural {
namespace {

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
  // Before they are read: of files that change meanwhile it is another's, and written anew.
  const std::string origin = request.prepared.empty() ? "" : prepared_origin(request);
  StableDiffusionFiles files = read_stable_diffusion(
      request.path, {.tokenizer = request.tokenizer,
                     .scheduler = request.scheduler,
                     .prediction = request.prediction.empty() ? "automatic" : request.prediction});
  for (const auto& [path, weight] : request.loras) {
    const Lora lora{path, weight};
    add_loras(files, {&lora, 1});
  }
  for (const auto& [path, word] : request.embeddings) add_textual_inversion(files, {path, word});
  check_stable_diffusion(files);
  StableParts parts{.shape = files.shape,
                    .factor = files.factor,
                    .unit = files.unit,
                    .eight_bit = request.eight_bit,
                    .tokenizer = files.tokenizer,
                    .no_tokenizer = files.no_tokenizer,
                    .scheduler = request.scheduler.empty() ? of_pipeline(files.scheduler_config)
                                                           : files.scheduler_config,
                    .notes = files.notes};
  const auto network = api::build_as<Network>(files.network);
  parts.unet_channels = static_cast<const UnetConfig*>(network->config())->channels[0];
  const auto& widths = files.autoencoder_config.channels;
  parts.decoder_channels = widths[widths.size > 1 ? 1 : 0];  // its last upsampling has those
  parts.unet = declare_net(*network, files.shape);
  if (!request.prepared.empty()) {
    parts.prepared_path = request.prepared;
    parts.prepared_origin = origin;
    parts.prepared = std::make_shared<PreparedWeights>(parts.prepared_path, parts.prepared_origin);
  }
  const auto plan = [&](const char* of, bool eight_bit = false) {
    return HoldPlan{.eight_bit = eight_bit,
                    .lean = request.memory > 0,
                    .prepared = parts.prepared,
                    .network = of};
  };
  parts.unet->parameters().hold(files.unet, plan("unet", request.eight_bit));
  parts.autoencoder_parameters = std::make_shared<Parameters>();
  parts.autoencoder =
      make_kl_net(files.autoencoder_config, Scope(*parts.autoencoder_parameters), files.sample);
  parts.autoencoder_parameters->hold(files.autoencoder, plan("vae"));
  parts.text_parameters = std::make_shared<Parameters>();
  parts.text = std::make_shared<TextTransformer>(Scope(*parts.text_parameters), files.text_config);
  parts.text_parameters->hold(files.text, plan("text_encoder"));
  const SchedulerParts scheduler = read_scheduler(parts.scheduler);
  parts.path = api::build_as<process::Path>(scheduler.path);
  parts.prediction = api::build_as<process::Prediction>(scheduler.prediction);
  return parts;
}

}  // namespace gradatim::neural
