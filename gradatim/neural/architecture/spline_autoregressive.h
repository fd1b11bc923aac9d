#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct SplineAutoregressiveFlowConfig {
  int transforms = 3;
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  int bins = 8;
  double tail_bound = 5.0;

  static constexpr const char* kMaker = "gradatim_make_spline_autoregressive_flow";
};

}  // namespace gradatim::neural
