#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct NiceConfig {
  int couplings = 4;
  int width = 1000;
  int layers = 5;
  Activation activation = Activation::relu;
  Mask mask = Mask::alternate;

  static constexpr const char* kMaker = "gradatim_make_nice";
};

}  // namespace gradatim::neural
