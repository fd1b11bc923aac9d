// Eigenvalues and eigenvectors of a symmetric matrix, by Jacobi's rotations.
#pragma once

#include <cstdint>
#include <vector>

namespace gradatim::process {

struct Eigen {
  std::vector<double> values;   // [n], in no order
  std::vector<double> vectors;  // [n, n], column k belongs to value k
};

/// Of `matrix` [n, n], symmetric. O(n^3) a sweep, some ten sweeps.
Eigen eigen(std::vector<double> matrix, std::int64_t n);

}  // namespace gradatim::process
