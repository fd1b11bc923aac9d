#pragma once

#include "gradatim/neural/quantizer/codebook.h"

namespace gradatim::neural {

struct GumbelSoftmaxConfig {
  int codes = 512;
  bool hard = true;
  double temperature = 1.0;
  double last_temperature = 0.0625;
  double kl_weight = 5e-4;

  static constexpr const char* kMaker = "gradatim_make_gumbel_softmax";
};

}  // namespace gradatim::neural
