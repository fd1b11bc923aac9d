// The share of real rows whose ball, to their k-th real neighbour, holds a generated row.
#include "gradatim/api/export.h"
#include "gradatim/process/metric/balls.h"

namespace gradatim::process {
namespace {

double coverage(const SamplePair& pair, const BallsConfig& config) {
  const auto radii = squared_radii(pair, config);
  std::int64_t covered = 0;
  for (std::int64_t i = 0; i < pair.rows_a(); ++i) {
    covered += inside(pair, i, radii[static_cast<std::size_t>(i)]) > 0 ? 1 : 0;
  }
  return static_cast<double>(covered) / static_cast<double>(pair.rows_a());
}

constexpr api::Setting kSettings[] = {
    api::setting<&BallsConfig::neighbours>(
        {.doc = "k, how many real neighbours a ball reaches to.", .range = api::between(1, 10000)}),
};

constexpr api::Text kText = {
    .name = "process.metric.coverage",
    .summary = "Share of the real rows that have a generated one near, `a` the real sample.",
    .detail =
        "Near is not farther than the k-th real neighbour. It falls where generated rows leave out "
        "a part of the data.",
    .source = "Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models",
    .shape = "a, b: [rows, dims]",
    .errors = "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite",
    .tags = "maximise",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_coverage) = gradatim::api::function<&gradatim::process::coverage>(
    gradatim::process::kText, gradatim::process::kSettings);
