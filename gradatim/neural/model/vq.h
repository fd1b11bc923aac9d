// What neural.vq is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/data/model.h"
#include "gradatim/neural/model/reconstruction.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/quantizer.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

struct VqConfig {
  Scaling scaling = Scaling::automatic;
  Reconstruction reconstruction = Reconstruction::squared;
};

struct VqPlan {
  VqConfig config;
  std::shared_ptr<const Autoencoder> autoencoder;  // null: what suits the samples
  std::shared_ptr<const Quantizer> quantizer;
  std::shared_ptr<const CodePrior> prior;
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_vq and gradatim_load_vq of libgradatim_neural.
using FitVq = std::shared_ptr<const data::Model>(const VqPlan& plan,
                                                 const data::FitRequest& request,
                                                 const api::Settings& settings);
using LoadVq = std::shared_ptr<const data::Model>(const VqPlan& plan, const SafetensorsFile& file,
                                                  const data::ModelCard& card);

}  // namespace gradatim::neural
