#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct RealNvpConfig {
  int couplings = 8;
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  Mask mask = Mask::halves;
  double bound = 3.0;

  static constexpr const char* kMaker = "gradatim_make_realnvp";
};

}  // namespace gradatim::neural
