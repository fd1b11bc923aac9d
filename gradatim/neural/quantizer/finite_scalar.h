#pragma once

#include "gradatim/api/export.h"

namespace gradatim::neural {

struct FiniteScalarConfig {
  api::List<int, 16> levels = {8, 5, 5, 5};

  static constexpr const char* kMaker = "gradatim_make_finite_scalar";
};

}  // namespace gradatim::neural
