#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

struct AdditiveCouplingConfig {
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  Mask mask = Mask::halves;

  static constexpr const char* kMaker = "gradatim_make_additive_coupling";
};

}  // namespace gradatim::neural
