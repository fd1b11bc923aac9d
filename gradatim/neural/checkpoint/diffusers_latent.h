// A model of neural.latent_diffusion as a StableDiffusionPipeline of diffusers: what was trained
// here from nothing is drawn by everything that loads such folders, `gradatim sample` among them.
#pragma once

#include <string>
#include <vector>

#include "gradatim/neural/latent/latent_diffusion_model.h"

namespace gradatim::neural {

/// Writes the folder, whole or not at all, and returns what diffusers will not know. ModelError
/// GRD-3063, GRD-3068 where its parts have no place there: it needs neural.kl_autoencoder of images
/// of three channels, neural.network.unet, captions in byte pairs, and a table of betas.
std::vector<std::string> write_latent_diffusion(const LatentDiffusionModel& model,
                                                const std::string& folder);

}  // namespace gradatim::neural
