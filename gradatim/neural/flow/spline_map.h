// The monotone rational-quadratic spline as a ScalarMap (Durkan et al. (2019), Neural spline
// flows), 3 bins - 1 parameters a number; nn/kernel/spline.h has its formulas. The identity beyond
// [-bound, bound].
#pragma once

#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {

std::unique_ptr<ScalarMap> spline_map(std::int64_t bins, double bound);

/// The same by torch, differentiable: on devices that are no processor, and in tests. `inverse`
/// leads back.
Moved plain_spline(const Tensor& x, const Tensor& parameters, double bound, bool inverse);

}  // namespace gradatim::neural
