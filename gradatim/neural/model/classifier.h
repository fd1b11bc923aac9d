// What neural.classifier is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/data/model.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/training.h"
#include "gradatim/process/path.h"
#include "gradatim/process/time_density.h"

namespace gradatim::neural {

struct ClassifierConfig {
  double noised = 0.9;
  double label_smoothing = 0.0;
  Scaling scaling = Scaling::automatic;
  bool flip = false;
};

struct ClassifierPlan {
  ClassifierConfig config;
  std::shared_ptr<const Network> network;  // null: what suits the samples
  std::shared_ptr<const process::Path> path;
  std::shared_ptr<const process::TimeDensity> times;
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_classifier and gradatim_load_classifier of libgradatim_neural.
using FitClassifier = std::shared_ptr<const data::Model>(const ClassifierPlan& plan,
                                                         const data::FitRequest& request,
                                                         const api::Settings& settings);
using LoadClassifier = std::shared_ptr<const data::Model>(const ClassifierPlan& plan,
                                                          const SafetensorsFile& file,
                                                          const data::ModelCard& card);

}  // namespace gradatim::neural
