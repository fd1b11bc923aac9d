#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct IafConfig {
  int transforms = 5;
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  double bound = 3.0;

  static constexpr const char* kMaker = "gradatim_make_iaf";
};

}  // namespace gradatim::neural
