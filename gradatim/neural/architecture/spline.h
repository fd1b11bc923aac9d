#pragma once

#include "gradatim/neural/bijection/settings.h"

namespace gradatim::neural {

enum class Mixing { lu_linear, permutation, none };

struct SplineConfig {
  int couplings = 6;
  int width = 64;
  int layers = 2;
  Activation activation = Activation::relu;
  Mask mask = Mask::halves;
  int bins = 8;
  double tail_bound = 5.0;
  Mixing mixing = Mixing::lu_linear;

  static constexpr const char* kMaker = "gradatim_make_spline";
};

}  // namespace gradatim::neural
