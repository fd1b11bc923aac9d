// The weights of a diffusers folder, into a network.
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/checkpoint/fit.h"
#include "gradatim/neural/checkpoint/mapped_weights.h"

namespace gradatim::neural {

void read_unet_parameters(const UnetFolder& folder, Parameters& parameters, at::Device device) {
  read_folder_parameters(folder.path, parameters, device);
}

void read_folder_parameters(const std::string& path, Parameters& parameters, at::Device device) {
  read_weights(*folder_weights(path, kDiffusersStem), parameters, device);
}

}  // namespace gradatim::neural
