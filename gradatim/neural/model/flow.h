// What neural.flow is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/data/model.h"
#include "gradatim/neural/bijection.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

enum class Dequantization { automatic, none, uniform, variational };

struct FlowConfig {
  Scaling scaling = Scaling::automatic;
  Dequantization dequantization = Dequantization::automatic;
  double logit_margin = 0.0;
};

struct FlowPlan {
  FlowConfig config;
  std::shared_ptr<const Architecture> architecture;  // null: what suits the samples
  std::shared_ptr<const BaseDensity> base;           // null: the architecture's own
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_flow and gradatim_load_flow of libgradatim_neural.
using FitFlow = std::shared_ptr<const data::Model>(const FlowPlan& plan,
                                                   const data::FitRequest& request,
                                                   const api::Settings& settings);
using LoadFlow = std::shared_ptr<const data::Model>(const FlowPlan& plan,
                                                    const SafetensorsFile& file,
                                                    const data::ModelCard& card);

}  // namespace gradatim::neural
