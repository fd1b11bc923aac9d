#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct AffineAutoregressiveConfig {
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  double bound = 3.0;
  bool inverse = false;

  static constexpr const char* kMaker = "gradatim_make_affine_autoregressive";
};

}  // namespace gradatim::neural
