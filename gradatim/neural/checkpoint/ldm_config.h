// What the networks of a single file are, as configurations of diffusers' and transformers'
// classes: from the shapes of its arrays, and of what shapes cannot tell from what Stable Diffusion
// 1.x and 2.x were made with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "gradatim/neural/checkpoint/ldm_file.h"

namespace gradatim::neural {

struct LdmGuess {
  std::string prediction = "automatic";  // epsilon, v_prediction
  std::int64_t norm_groups = 0;          // 0: 32 where it divides all channels
  std::int64_t heads = 0;                // of the U-Net; 0: 8 of each level, or 64 wide in 2.x
};

/// By the names that they have in a folder: model_index.json, unet/config.json, vae/config.json,
/// text_encoder/config.json, scheduler/scheduler_config.json. What was taken for granted is told in
/// `notes`. ModelError GRD-3064 where an array is missing that tells the shape of a network.
std::map<std::string, std::string> ldm_configs(const LdmArrays& parts, const LdmGuess& guess,
                                               const std::string& source,
                                               std::vector<std::string>& notes);

/// The scheduler that Stable Diffusion 1.x is published with, or for a v prediction 2.1.
std::string usual_scheduler(const std::string& prediction);

}  // namespace gradatim::neural
