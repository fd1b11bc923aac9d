// Parameters of steps that tests make by hand.
#pragma once

#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural::testing {

/// Packs parameters, gives them initial values and adds normal numbers of that deviation.
inline void perturb(Parameters& parameters, double deviation, std::uint64_t seed = 7) {
  parameters.pack();
  parameters.init(seed);
  const at::NoGradGuard plain;
  for (const auto& item : parameters.items()) {
    item.value.add_(normal_tensor(item.value.sizes().vec(), seed + to_size(item.offset)),
                    deviation);
  }
}

}  // namespace gradatim::neural::testing
