// Where codes begin: the means of k-means over some vectors.
#pragma once

#include <cstdint>

#include "gradatim/core/philox.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct Means {
  Tensor means;  // [codes, dims]
  Tensor share;  // [codes]: of the vectors, float64
};

/// Lloyd's iterations over z [vectors, dims] from distinct vectors, each drawn by its squared
/// distance to those before (Arthur and Vassilvitskii (2007), k-means++: the advantages of careful
/// seeding). A mean without vectors stays where it is. Of very many vectors it takes every n-th.
Means k_means(const Tensor& z, std::int64_t codes, std::int64_t iterations, const Philox& draws);

}  // namespace gradatim::neural
