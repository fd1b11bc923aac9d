// What neural.diffusion is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/data/model.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/text_encoder.h"
#include "gradatim/neural/training.h"
#include "gradatim/process/coupling.h"
#include "gradatim/process/loss_weight.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"
#include "gradatim/process/time_density.h"

namespace gradatim::neural {

struct DiffusionConfig {
  double drop_label = 0.1;
  Scaling scaling = Scaling::automatic;
  bool flip = false;
  std::int64_t pair_steps = 1;
  bool learned_variance = false;
  double variance_weight = 0.001;
};

struct DiffusionPlan {
  DiffusionConfig config;
  std::shared_ptr<const Network> network;  // null: what suits the samples
  std::shared_ptr<const process::Path> path;
  std::shared_ptr<const process::Prediction> prediction;
  std::shared_ptr<const process::LossWeight> loss_weight;
  std::shared_ptr<const process::TimeDensity> times;
  std::shared_ptr<const process::Coupling> coupling;
  std::shared_ptr<const TextEncoder> text;  // null: the usual one, where there are captions
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_diffusion and gradatim_load_diffusion of libgradatim_neural.
using FitDiffusion = std::shared_ptr<const data::Model>(const DiffusionPlan& plan,
                                                        const data::FitRequest& request,
                                                        const api::Settings& settings);
using LoadDiffusion = std::shared_ptr<const data::Model>(const DiffusionPlan& plan,
                                                         const SafetensorsFile& file,
                                                         const data::ModelCard& card);

}  // namespace gradatim::neural
