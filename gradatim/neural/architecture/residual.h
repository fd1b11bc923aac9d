#pragma once

#include "gradatim/neural/bijection/residual.h"

namespace gradatim::neural {

struct ResidualFlowConfig {
  int blocks = 8;
  int width = 64;
  int layers = 2;
  double lipschitz = 0.9;
  ResidualTrace trace = ResidualTrace::exact;
  int terms = 8;
  int iterations = 1000;

  static constexpr const char* kMaker = "gradatim_make_residual_flow";
};

}  // namespace gradatim::neural
