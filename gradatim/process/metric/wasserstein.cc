// The least mean cost of moving one sample onto the other: sorted in one dimension, by assignment
// in several.
#include <fmt/format.h>

#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/metric/metric.h"
#include "gradatim/process/metric/point_assignment.h"

namespace gradatim::process {
namespace {

struct WassersteinConfig {
  int order = 2;
};

double wasserstein(const SamplePair& pair, const WassersteinConfig& config) {
  double mean = 0.0;
  if (pair.dims == 1) {
    std::vector<double> a(pair.a.begin(), pair.a.end()), b(pair.b.begin(), pair.b.end());
    mean = wasserstein_1d(a, b, config.order);
  } else {
    const std::int64_t n = pair.rows_a();
    GRADATIM_CHECK(
        n == pair.rows_b(), UsageError, 1136,
        "wasserstein: {} rows cannot be assigned to {} one to one; give as many, or take "
        "sliced_wasserstein",
        n, pair.rows_b());
    const auto partner = assign_points(pair.a, pair.b, pair.dims, config.order);
    for (std::int64_t i = 0; i < n; ++i) {
      const double square = squared_distance(
          pair.a.data() + i * pair.dims,
          pair.b.data() + partner[static_cast<std::size_t>(i)] * pair.dims, pair.dims);
      mean += config.order == 1 ? std::sqrt(square) : square;
    }
    mean /= static_cast<double>(n);
  }
  return config.order == 1 ? mean : std::sqrt(mean);
}

constexpr api::Setting kSettings[] = {
    api::setting<&WassersteinConfig::order>(
        {.doc = "1: of distances; 2: of squared distances, and the root of their mean.",
         .range = api::between(1, 2)}),
};

constexpr api::Text kText = {
    .name = "process.metric.wasserstein",
    .summary = "Wasserstein's distance, exact.",
    .detail =
        "In several dimensions the samples need as many rows, of which the best assignment is "
        "found.",
    .source =
        "Peyré and Cuturi (2019), Computational optimal transport; Jonker and Volgenant (1987), "
        "A shortest augmenting path algorithm for dense and sparse linear assignment problems",
    .shape = "a, b: [rows, dims]",
    .errors =
        "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite; "
        "GRD-4026 squared distances are not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_wasserstein) =
    gradatim::api::function<&gradatim::process::wasserstein>(gradatim::process::kText,
                                                             gradatim::process::kSettings);
