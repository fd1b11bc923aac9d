// What neural.kl_autoencoder is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/api/value.h"
#include "gradatim/data/model.h"
#include "gradatim/neural/model/reconstruction.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

struct KlConfig {
  api::List<int, 16> channels = {32, 64, 64};
  int layers = 1;
  int latent_channels = 4;
  int norm_groups = 8;
  bool middle_attention = true;
  Scaling scaling = Scaling::automatic;
  Reconstruction reconstruction = Reconstruction::absolute;
  double kl_weight = 1e-6;
  double adversarial_weight = 0.0;
  std::int64_t adversarial_start = 0;
  int discriminator_channels = 32;
  int discriminator_layers = 2;
};

struct KlPlan {
  KlConfig config;
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_kl_autoencoder and gradatim_load_kl_autoencoder of libgradatim_neural.
using FitKlAutoencoder = std::shared_ptr<const data::Model>(const KlPlan& plan,
                                                            const data::FitRequest& request,
                                                            const api::Settings& settings);
using LoadKlAutoencoder = std::shared_ptr<const data::Model>(const KlPlan& plan,
                                                             const SafetensorsFile& file,
                                                             const data::ModelCard& card);

}  // namespace gradatim::neural
