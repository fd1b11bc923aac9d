// What tests of flows share.
#pragma once

#include <vector>

#include "gradatim/core/normal.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/size.h"

namespace gradatim::neural::testing {

/// Normal numbers of an oracle's stream.
inline Tensor normal_numbers(const std::vector<std::int64_t>& sizes, std::uint64_t seed) {
  std::vector<double> numbers(to_size(c10::multiply_integers(sizes)));
  normals(Philox(seed, Stream::data), 0, numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view(sizes);
}

/// Packs parameters, gives them initial values and adds normal numbers of that deviation.
inline void perturb(Parameters& parameters, double deviation, std::uint64_t seed = 7) {
  parameters.pack();
  parameters.init(seed);
  const at::NoGradGuard plain;
  for (const auto& item : parameters.items()) {
    item.value.add_(normal_numbers(item.value.sizes().vec(), seed + to_size(item.offset)),
                    deviation);
  }
}

}  // namespace gradatim::neural::testing
