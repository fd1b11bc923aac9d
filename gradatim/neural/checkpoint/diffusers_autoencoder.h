// An AutoencoderKL of diffusers as a folder, config.json and weights, and as a model of
// neural.kl_autoencoder.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gradatim/neural/convert.h"
#include "gradatim/neural/latent/kl_model.h"

namespace gradatim::neural {

struct AutoencoderFolder {
  std::string path;  // of the folder with config.json
  KlConfig config;
  std::vector<std::int64_t> sample;
  double factor = 1.0;  // that latents are multiplied by
  std::string json;     // config.json as it is
};

/// The folder itself, or `vae` of a pipeline without a unet, where it is an AutoencoderKL's.
std::optional<std::string> autoencoder_folder(const std::string& path);

/// ModelError GRD-3062 where config.json is none, GRD-3063 for a value that gradatim's network does
/// not have.
AutoencoderFolder read_autoencoder_folder(const std::string& path);
/// The same of config.json's text; `source` names it in messages.
AutoencoderFolder read_autoencoder_config(std::string json, const std::string& path,
                                          const std::string& source);
/// The network with its weights. Errors of read_folder_parameters().
KlParts load_autoencoder(const AutoencoderFolder& folder, at::Device device = at::kCPU);

/// What from_diffusers() and to_diffusers() do.
Converted read_autoencoder(const std::string& path, std::string_view scaling);
std::vector<std::string> write_autoencoder(const KlAutoencoderModel& model,
                                           const std::string& folder);

}  // namespace gradatim::neural
