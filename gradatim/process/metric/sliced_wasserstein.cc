// Wasserstein's distance in one dimension, averaged over random directions.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/normal.h"
#include "gradatim/process/metric/metric.h"

namespace gradatim::process {
namespace {

struct SlicedConfig {
  int order = 2;
  int projections = 256;
  int seed = 0;
};

std::vector<double> projected(std::span<const double> rows, const std::vector<double>& direction) {
  std::vector<double> result(rows.size() / direction.size());
  for (std::size_t row = 0; row < result.size(); ++row) {
    for (std::size_t i = 0; i < direction.size(); ++i) {
      result[row] += rows[row * direction.size() + i] * direction[i];
    }
  }
  return result;
}

double sliced_wasserstein(const SamplePair& pair, const SlicedConfig& config) {
  const Philox numbers(static_cast<std::uint64_t>(config.seed), Stream::projection);
  std::vector<double> direction(static_cast<std::size_t>(pair.dims));
  const std::uint64_t blocks = (direction.size() + 3) / 4;
  double mean = 0.0;
  for (int k = 0; k < config.projections; ++k) {
    normals(numbers, 4 * blocks * static_cast<std::uint64_t>(k), direction);
    double norm = 0.0;
    for (const double v : direction) norm += v * v;
    for (double& v : direction) v /= std::sqrt(norm);
    auto a = projected(pair.a, direction);
    auto b = projected(pair.b, direction);
    mean += wasserstein_1d(a, b, config.order) / config.projections;
  }
  return config.order == 1 ? mean : std::sqrt(mean);
}

constexpr api::Setting kSettings[] = {
    api::setting<&SlicedConfig::order>(
        {.doc = "1: of distances; 2: of squared distances, and the root of their mean.",
         .range = api::between(1, 2)}),
    api::setting<&SlicedConfig::projections>(
        {.doc = "How many directions.", .range = api::between(1, 1000000)}),
    api::setting<&SlicedConfig::seed>(
        {.doc = "Seed of the directions.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.metric.sliced_wasserstein",
    .summary = "Wasserstein's distance of projections on random directions.",
    .detail = "The samples may have different numbers of rows.",
    .source = "Bonneel et al. (2015), Sliced and Radon Wasserstein barycenters of measures",
    .shape = "a, b: [rows, dims]",
    .errors = "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_sliced_wasserstein) =
    gradatim::api::function<&gradatim::process::sliced_wasserstein>(gradatim::process::kText,
                                                                    gradatim::process::kSettings);
