// What neural.continuous_flow is made of, chosen by name, before anything computes.
#pragma once

#include <memory>

#include "gradatim/data/model.h"
#include "gradatim/neural/model/scaling.h"
#include "gradatim/neural/network.h"
#include "gradatim/neural/training.h"
#include "gradatim/process/coupling.h"

namespace gradatim::neural {

enum class FlowObjective { likelihood, flow_matching };
enum class TraceKind { automatic, exact, hutchinson };
enum class RungeKutta { midpoint, heun, rk4, dopri5 };
enum class FlowGradient { checkpointed, adjoint };

struct ContinuousFlowConfig {
  FlowObjective objective = FlowObjective::likelihood;
  TraceKind trace = TraceKind::automatic;
  std::int64_t probes = 1;
  RungeKutta solver = RungeKutta::rk4;
  std::int64_t solver_steps = 8;
  FlowGradient gradient = FlowGradient::checkpointed;
  double kinetic_weight = 0.0;
  double jacobian_weight = 0.0;
  double drop_label = 0.1;
  Scaling scaling = Scaling::automatic;
  bool flip = false;
  std::int64_t pair_steps = 1;
};

struct ContinuousFlowPlan {
  ContinuousFlowConfig config;
  std::shared_ptr<const Network> network;  // null: what suits the samples
  std::shared_ptr<const process::Coupling> coupling;
  std::shared_ptr<const Training> training;
};

/// gradatim_fit_continuous_flow and gradatim_load_continuous_flow of libgradatim_neural.
using FitContinuousFlow = std::shared_ptr<const data::Model>(const ContinuousFlowPlan& plan,
                                                             const data::FitRequest& request,
                                                             const api::Settings& settings);
using LoadContinuousFlow = std::shared_ptr<const data::Model>(const ContinuousFlowPlan& plan,
                                                              const SafetensorsFile& file,
                                                              const data::ModelCard& card);

}  // namespace gradatim::neural
