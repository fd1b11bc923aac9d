// convert: networks from and to the folders of diffusers, whatever else a model file holds, and
// checkpoints of Stable Diffusion from one layout to the other.
//
// A folder is a pipeline's (unet/, scheduler/, as DDPMPipeline.save_pretrained lays it out), a
// UNet2DModel's alone, or an AutoencoderKL's. A scheduler scheduler decides the path and what the
// network says; solvers and steps are chosen when sampling, as of any model.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/data/model.h"
#include "gradatim/neural/checkpoint/checkpoint_options.h"

namespace gradatim::neural {

struct Converted {
  std::shared_ptr<const data::Model> model;  // a neural.diffusion or neural.kl_autoencoder
  std::vector<std::string> notes;            // what was taken for granted, a sentence each
};

/// `scaling`: "range" takes states from -1 to 1 for images of bytes, "none" leaves them as they
/// are; "automatic" is range for 1 or 3 channels, and what the model was where gradatim wrote the
/// folder. Errors are those of read_unet_folder() and read_unet_parameters(); ModelError GRD-3068 a
/// scheduler that no path stands for; UsageError GRD-1005 another scaling, GRD-1120 to 1122 a
/// damaged scheduler, GRD-1160 no torch.
Converted from_diffusers(const std::string& folder, std::string_view scaling = "automatic");

/// Writes a pipeline's folder, whole or not at all, and returns what diffusers will not know.
/// UsageError GRD-1162 no such model; ModelError GRD-3063, GRD-3068 what diffusers cannot say;
/// DataError GRD-2002 the folder is there and not empty, or cannot be written.
std::vector<std::string> to_diffusers(const data::Model& model, const std::string& folder);

/// Whether a path is a checkpoint of Stable Diffusion: a folder with a unet, a vae and a
/// text_encoder, or a safetensors file with a U-Net in it. ModelError GRD-3065 of a pickled file.
bool is_stable_diffusion(const std::string& path);

/// Of a folder a single file, of a single file a folder, which must be new, and nothing lost: every
/// array's bytes and type, and the configurations. What the other layout has no place for is
/// carried along. Returns what was taken for granted, a sentence each. Errors of open_checkpoint()
/// (checkpoint/stored_checkpoint.h); ModelError GRD-3077 of an array that has no place in a single
/// file; DataError GRD-2002 where `out` cannot be written.
std::vector<std::string> convert_stable_diffusion(const std::string& path, const std::string& out,
                                                  const CheckpointOptions& options = {});

/// gradatim_read_diffusers and gradatim_write_diffusers of libgradatim_neural.
using ReadDiffusers = Converted(const std::string& folder, std::string_view scaling);
using WriteDiffusers = std::vector<std::string>(const data::Model& model,
                                                const std::string& folder);

}  // namespace gradatim::neural
