// In how many balls of real rows, to their k-th real neighbour, a generated row lies, over k.
#include "gradatim/api/export.h"
#include "gradatim/process/metric/balls.h"

namespace gradatim::process {
namespace {

double density(const SamplePair& pair, const BallsConfig& config) {
  const auto radii = squared_radii(pair, config);
  std::int64_t found = 0;
  for (std::int64_t i = 0; i < pair.rows_a(); ++i) {
    found += inside(pair, i, radii[static_cast<std::size_t>(i)]);
  }
  return static_cast<double>(found) /
         (static_cast<double>(config.neighbours) * static_cast<double>(pair.rows_b()));
}

constexpr api::Setting kSettings[] = {
    api::setting<&BallsConfig::neighbours>(
        {.doc = "k, how many real neighbours a ball reaches to.", .range = api::between(1, 10000)}),
};

constexpr api::Text kText = {
    .name = "process.metric.density",
    .summary =
        "How densely real rows lie around generated ones, `a` the real sample; 1 where both agree.",
    .detail = "It may exceed 1, and falls where generated rows lie apart from the data.",
    .source = "Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models",
    .shape = "a, b: [rows, dims]",
    .errors = "GRD-1136 the shapes do not fit; GRD-4023 a sample is too small or not finite",
    .tags = "maximise",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_metric_density) = gradatim::api::function<&gradatim::process::density>(
    gradatim::process::kText, gradatim::process::kSettings);
