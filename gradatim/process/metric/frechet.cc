// |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) of means and covariances: Fréchet's distance of
// two normal distributions, squared. The last trace is that of (R C_b R)^(1/2), R = C_a^(1/2),
// which is symmetric.
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/metric/metric.h"
#include "gradatim/process/metric/symmetric.h"

namespace gradatim::process {
namespace {

struct Moments {
  std::vector<double> mean, covariance;
};

Moments moments(std::span<const double> rows, std::size_t dims) {
  Moments result{std::vector<double>(dims, 0.0), std::vector<double>(dims * dims, 0.0)};
  const std::size_t count = rows.size() / dims;
  for (std::size_t i = 0; i < rows.size(); ++i) result.mean[i % dims] += rows[i];
  for (double& m : result.mean) m /= static_cast<double>(count);
  std::vector<double> d(dims);
  for (std::size_t row = 0; row < count; ++row) {
    for (std::size_t i = 0; i < dims; ++i) d[i] = rows[row * dims + i] - result.mean[i];
    for (std::size_t i = 0; i < dims; ++i) {
      for (std::size_t j = 0; j < dims; ++j) result.covariance[i * dims + j] += d[i] * d[j];
    }
  }
  for (double& c : result.covariance) c /= static_cast<double>(count - 1);
  return result;
}

std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b,
                            std::size_t n) {
  std::vector<double> c(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
  }
  return c;
}

// V sqrt(E) V^T.
std::vector<double> root(const std::vector<double>& matrix, std::size_t n) {
  const Eigen e = eigen(matrix, static_cast<std::int64_t>(n));
  std::vector<double> result(n * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < n; ++k) {
      const double scaled = e.vectors[i * n + k] * std::sqrt(std::max(0.0, e.values[k]));
      for (std::size_t j = 0; j < n; ++j) result[i * n + j] += scaled * e.vectors[j * n + k];
    }
  }
  return result;
}

double frechet(const SamplePair& pair) {
  const auto n = static_cast<std::size_t>(pair.dims);
  const Moments a = moments(pair.a, n), b = moments(pair.b, n);
  double distance = squared_distance(a.mean.data(), b.mean.data(), pair.dims);
  for (std::size_t i = 0; i < n; ++i) {
    distance += a.covariance[i * n + i] + b.covariance[i * n + i];
  }
  const auto half = root(a.covariance, n);
  const Eigen e = eigen(product(product(half, b.covariance, n), half, n), pair.dims);
  for (const double value : e.values) distance -= 2.0 * std::sqrt(std::max(0.0, value));
  return std::max(0.0, distance);
}

constexpr api::Text kText = {
    .name = "process.metric.frechet",
    .summary = "Fréchet's distance of normal distributions with the samples' moments, squared.",
    .detail = "Of the features of an Inception network it is known as FID.",
    .source =
        "Heusel et al. (2017), GANs trained by a two time-scale update rule converge to a local "
        "Nash equilibrium; Dowson and Landau (1982), The Fréchet distance between multivariate "
        "normal distributions",
    .shape = "a, b: [rows, dims]",
    .errors = "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_frechet) =
    gradatim::api::function<&gradatim::process::frechet>(gradatim::process::kText);
