// LoRAs on top of a checkpoint: Weights that are merged as they are read, in float32,
//
//   W + sum of weight (alpha / rank) up down
//
// Nothing is kept of what was merged: another weight is another reading.
#pragma once

#include <span>
#include <string>

#include "gradatim/neural/checkpoint/stable_diffusion.h"

namespace gradatim::neural {

struct Lora {
  std::string path;
  double weight = 1.0;
};

/// Puts LoRAs on top of the U-Net's and the text network's weights. A layer that the checkpoint
/// does not have is told in its notes. Errors of read_lora(); ModelError GRD-3078 where no layer is
/// the checkpoint's, or one is of another shape.
void add_loras(StableDiffusionFiles& files, std::span<const Lora> loras);

}  // namespace gradatim::neural
