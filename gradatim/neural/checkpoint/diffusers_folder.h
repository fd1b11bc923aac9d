// A UNet2DModel or UNet2DConditionModel of diffusers as a folder: config.json and
// diffusion_pytorch_model.safetensors.
//
//  1. read_unet_folder() turns config.json into settings of neural.network.unet and the shape that
//     the network is for. What cannot be said by them is refused by its name.
//  2. load_unet() makes a network of these and gives it the weights.
//  3. write_unet_folder() writes a folder that diffusers loads.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gradatim/api/settings.h"
#include "gradatim/neural/nn/net.h"

namespace gradatim::neural {

struct UnetFolder {
  std::string path;        // of the folder with config.json
  api::Settings settings;  // of neural.network.unet
  NetworkShape shape;      // num_class_embeds counts "anything" as the last label
  std::string config;      // config.json as it is
  // scheduler_config.json beside it or of the pipeline around it.
  std::optional<std::string> scheduler = std::nullopt;
};

/// Of the folder itself, or of `unet` in a pipeline's folder. ModelError GRD-3062 (no such folder,
/// or of another class), GRD-3063 (a value that gradatim's network does not have); UsageError of
/// settings out of their range.
UnetFolder read_unet_folder(const std::string& path);

/// Packs the parameters of a network that was declared and fills them, from one file or from
/// several and their index; memory is taken when all shapes have been seen to fit. ModelError
/// GRD-3064 (a parameter is missing, or unknown), GRD-3003 (of another shape), GRD-3061 (not
/// finite), GRD-3065 (pickled weights only, or no weights), GRD-3066 (a damaged index).
void read_unet_parameters(const UnetFolder& folder, Parameters& parameters, at::Device device);
/// The same of any network's folder.
void read_folder_parameters(const std::string& path, Parameters& parameters, at::Device device);

/// The network with its weights; the shape's time_scale is 1.
std::unique_ptr<Net> load_unet(const UnetFolder& folder, at::Device device = at::kCPU);

/// Of a network that was made of these settings for this shape. `config`: a config.json whose other
/// keys are kept, or empty.
void write_unet_folder(const std::string& path, const Network& network, const NetworkShape& shape,
                       const Parameters& parameters, const std::string& config = {});
/// Its config.json alone.
void write_unet_config(const std::string& path, const Network& network, const NetworkShape& shape,
                       const std::string& config = {});

}  // namespace gradatim::neural
