// Gauss-Legendre quadrature on (0, 1): n points integrate polynomials of degree 2 n - 1 exactly.
#pragma once

#include <vector>

namespace gradatim {

struct Quadrature {
  std::vector<double> at;      // ascending
  std::vector<double> weight;  // they sum to 1
};

/// `points` is at least 1.
Quadrature gauss_legendre(int points);

}  // namespace gradatim
