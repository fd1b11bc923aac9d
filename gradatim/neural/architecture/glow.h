#pragma once

#include "gradatim/neural/bijection/image_settings.h"

namespace gradatim::neural {

struct GlowConfig {
  int levels = 2;
  int depth = 8;
  CouplingMap map = CouplingMap::affine;
  ImageConditionerKind conditioner = ImageConditionerKind::convolutions;
  int width = 64;
  int layers = 2;
  double bound = 2.0;

  static constexpr const char* kMaker = "gradatim_make_glow";
};

}  // namespace gradatim::neural
