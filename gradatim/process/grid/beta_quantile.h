// Quantiles of the Beta distribution, in float64.
//
// The regularised incomplete beta function is a continued fraction (Abramowitz and Stegun 26.5.8,
// evaluated by Lentz's method), and its inverse a bisection.
#pragma once

#include <cmath>

namespace gradatim::process {

/// I_x(a, b), the chance of at most x.
inline double incomplete_beta(double x, double a, double b) {
  if (x <= 0.0) return 0.0;
  if (x >= 1.0) return 1.0;
  if (x > (a + 1.0) / (a + b + 2.0)) return 1.0 - incomplete_beta(1.0 - x, b, a);
  const double log_front =
      a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
  const auto kept = [](double v) { return std::abs(v) < 1e-300 ? 1e-300 : v; };
  double c = 1.0;
  double d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
  double fraction = d;
  for (int m = 1; m < 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / kept(1.0 + even * d);
    c = kept(1.0 + even / c);
    fraction *= c * d;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / kept(1.0 + odd * d);
    c = kept(1.0 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1.0) < 1e-15) break;
  }
  return std::exp(log_front) * fraction / a;
}

/// The x with I_x(a, b) = level.
inline double beta_quantile(double level, double a, double b) {
  if (level <= 0.0) return 0.0;
  if (level >= 1.0) return 1.0;
  double low = 0.0;
  double high = 1.0;
  for (int i = 0; i < 200 && low < high; ++i) {
    // Halves of the logarithm while x may be tiny, which it is for small a.
    const double middle =
        high > 4.0 * low && high < 0.5 && low > 0.0 ? std::sqrt(low * high) : 0.5 * (low + high);
    if (middle == low || middle == high) break;
    (incomplete_beta(middle, a, b) < level ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

}  // namespace gradatim::process
