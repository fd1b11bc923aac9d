// A checkpoint of Stable Diffusion 1.x or 2.x: what its networks are, and their weights where they
// lie. No network is made and no array is read here.
//
//  1. read_stable_diffusion() reads a folder of diffusers or a single file.
//  2. check_stable_diffusion() compares arrays with the networks that they are for, by shapes.
//  3. Networks are made of the settings and take their arrays from the Weights one after another;
//     changes (lora.h, textual_inversion.h) lie on top of these.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/neural/checkpoint/stored_checkpoint.h"
#include "gradatim/neural/checkpoint/weights.h"
#include "gradatim/neural/model/kl_autoencoder.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/text/byte_codec.h"
#include "gradatim/neural/text/text_config.h"

namespace gradatim::neural {

struct StableDiffusionFiles {
  std::string path;
  // neural.network.unet for latents {channels, height, width} as it was trained; `beside` are a
  // mask and the image behind it, in checkpoints for inpainting.
  api::Settings network;
  NetworkShape shape;
  KlConfig autoencoder_config;
  std::vector<std::int64_t> sample;  // of the autoencoder: {channels, height, width}
  double factor = 1.0;               // that latents are multiplied by
  int unit = 8;                      // pixels of a latent, a side
  TextConfig text_config;
  std::string scheduler_config;  // of diffusers, JSON
  std::shared_ptr<const Weights> unet, autoencoder, text;
  std::shared_ptr<const ByteCodec> tokenizer;  // or none
  std::string no_tokenizer;                    // and why
  std::vector<std::string> notes;              // what was taken for granted, a sentence each

  /// The tokenizer. ModelError GRD-3072 where there is none.
  const ByteCodec& codec() const;
};

/// Errors of open_checkpoint() and read_clip_tokenizer(); ModelError GRD-3062, GRD-3063 of a
/// configuration, GRD-3082 where networks do not belong together; UsageError of settings out of
/// their range.
StableDiffusionFiles read_stable_diffusion(const std::string& path,
                                           const CheckpointOptions& options = {});

/// Whether each network's weights are its own. Errors of check_weights().
void check_stable_diffusion(const StableDiffusionFiles& files);

}  // namespace gradatim::neural
