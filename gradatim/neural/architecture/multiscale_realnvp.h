#pragma once

#include "gradatim/neural/bijection/image_settings.h"

namespace gradatim::neural {

struct MultiscaleRealnvpConfig {
  int levels = 2;
  int couplings = 3;
  CouplingMap map = CouplingMap::affine;
  ImageConditionerKind conditioner = ImageConditionerKind::residual;
  int width = 32;
  int layers = 2;
  double bound = 2.0;

  static constexpr const char* kMaker = "gradatim_make_multiscale_realnvp";
};

}  // namespace gradatim::neural
