#include "gradatim/core/gauss_legendre.h"

#include <cmath>
#include <numbers>

namespace gradatim {

// The points are the roots of Legendre's polynomial P_n, found by Newton from Tricomi's
// approximation: a step squares the error, which begins below 1 / n^2.
Quadrature gauss_legendre(int points) {
  constexpr int kSteps = 6;
  Quadrature found;
  found.at.resize(points);
  found.weight.resize(points);
  for (int i = 0; i < points; ++i) {
    double x = -std::cos(std::numbers::pi * (i + 0.75) / (points + 0.5));
    double slope = 0.0;
    for (int step = 0; step < kSteps; ++step) {
      double value = x, before = 1.0;  // P_1 and P_0
      for (int k = 2; k <= points; ++k) {
        const double next = ((2 * k - 1) * x * value - (k - 1) * before) / k;
        before = value;
        value = next;
      }
      slope = points * (x * value - before) / (x * x - 1.0);
      x -= value / slope;
    }
    found.at[i] = (1.0 + x) / 2.0;
    found.weight[i] = 1.0 / ((1.0 - x * x) * slope * slope);
  }
  return found;
}

}  // namespace gradatim
