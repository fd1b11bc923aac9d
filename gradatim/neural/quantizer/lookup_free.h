#pragma once

#include "gradatim/neural/quantizer/codebook.h"

namespace gradatim::neural {

struct LookupFreeConfig {
  int bits = 9;
  double commitment = 0.25;
  double entropy = 0.1;
  double diversity = 1.0;
  double temperature = 1.0;
  double decay = 0.9;

  static constexpr const char* kMaker = "gradatim_make_lookup_free";
};

}  // namespace gradatim::neural
