// The networks of a checkpoint of Stable Diffusion, ready to compute.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/neural/latent/kl_net.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/prepared.h"
#include "gradatim/neural/stable_diffusion.h"
#include "gradatim/neural/text/byte_codec.h"
#include "gradatim/neural/text/text_transformer.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"

namespace gradatim::neural {

struct StableParts {
  std::shared_ptr<Net> unet;
  NetworkShape shape;  // of the U-Net; its sample is that of images without a size of their own
  std::shared_ptr<const KlNet> autoencoder;
  std::shared_ptr<Parameters> autoencoder_parameters;
  double factor = 1.0;    // that latents are multiplied by
  std::int64_t unit = 8;  // pixels a latent's, each way
  // Of the widest images at the size of latents, and at that of images.
  std::int64_t unet_channels = 0, decoder_channels = 0;
  bool eight_bit = false;  // whether the U-Net's weights are held so
  std::shared_ptr<const TextTransformer> text;
  std::shared_ptr<Parameters> text_parameters;
  std::shared_ptr<const ByteCodec> tokenizer;
  // The file of prepared weights, what it must be of, and what was in it; or empty.
  std::string prepared_path, prepared_origin;
  std::shared_ptr<const PreparedWeights> prepared;
  std::size_t prepared_count = 0;  // of weights, as they were last written
  std::string no_tokenizer;        // why there is none
  std::string scheduler;           // its configuration, JSON
  std::shared_ptr<const process::Path> path;
  std::shared_ptr<const process::Prediction> prediction;
  std::vector<std::string> notes;
};

/// Errors of open_stable_diffusion().
StableParts load_stable_parts(const CheckpointRequest& request);

}  // namespace gradatim::neural
