// Golub and Van Loan (2013), Matrix computations, section 8.5: each rotation zeroes one element off
// the diagonal, and the others shrink quadratically.
#include "gradatim/process/metric/symmetric.h"

#include <cmath>

#include "gradatim/core/parallel.h"

namespace gradatim::process {
namespace {

constexpr int kMostSweeps = 60;

void rotate(double* x, double* y, std::size_t n, std::size_t stride, double c, double s) {
  for (std::size_t k = 0; k < n * stride; k += stride) {
    const double u = x[k], v = y[k];
    x[k] = c * u - s * v;
    y[k] = s * u + c * v;
  }
}

}  // namespace

Eigen eigen(std::vector<double> matrix, std::int64_t count) {
  const auto n = static_cast<std::size_t>(count);
  Eigen result{std::vector<double>(n), std::vector<double>(n * n, 0.0)};
  for (std::size_t i = 0; i < n; ++i) result.vectors[i * n + i] = 1.0;
  double* const a = matrix.data();
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    check_interrupt();
    double off = 0.0, all = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        all += a[i * n + j] * a[i * n + j];
        off += i == j ? 0.0 : a[i * n + j] * a[i * n + j];
      }
    }
    if (off <= 1e-30 * all) break;
    for (std::size_t p = 0; p + 1 < n; ++p) {
      for (std::size_t q = p + 1; q < n; ++q) {
        const double apq = a[p * n + q];
        if (apq == 0.0) continue;
        const double tau = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
        const double t = std::copysign(1.0, tau) / (std::abs(tau) + std::hypot(1.0, tau));
        const double c = 1.0 / std::hypot(1.0, t);
        rotate(a + p * n, a + q * n, n, 1, c, t * c);
        rotate(a + p, a + q, n, n, c, t * c);
        rotate(result.vectors.data() + p, result.vectors.data() + q, n, n, c, t * c);
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) result.values[i] = a[i * n + i];
  return result;
}

}  // namespace gradatim::process
