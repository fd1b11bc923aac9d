// Sums that do not depend on the number of threads.
#pragma once

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// The sum of a * b over all elements, of contiguous float32; in float64 and a fixed order where
/// they lie in memory.
double sum_of_products(const Tensor& a, const Tensor& b);

}  // namespace gradatim::neural
