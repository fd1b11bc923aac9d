// What neural.latent_diffusion is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/neural/model/diffusion.h"

namespace gradatim::neural {

struct LatentDiffusionConfig {
  double drop_label = 0.1;
  std::int64_t pair_steps = 1;
  bool learned_variance = false;
  double variance_weight = 0.001;
};

struct LatentDiffusionPlan {
  std::shared_ptr<const data::Trainer> autoencoder;
  DiffusionPlan diffusion;  // of the latents
};

/// gradatim_fit_latent_diffusion and gradatim_load_latent_diffusion of libgradatim_neural.
using FitLatentDiffusion = std::shared_ptr<const data::Model>(const LatentDiffusionPlan& plan,
                                                              const data::FitRequest& request,
                                                              const api::Settings& settings);
using LoadLatentDiffusion = std::shared_ptr<const data::Model>(const SafetensorsFile& file,
                                                               const data::ModelCard& card);

}  // namespace gradatim::neural
