// N quantiles of the Beta distribution, from its end to its beginning, of the times or of the noise
// levels between the ends of training; then 0. a and b below 1 draw steps together at both ends.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"
#include "gradatim/process/grid/beta_quantile.h"

namespace gradatim::process {
namespace {

enum class Spread { time, ratio };

struct BetaGridConfig {
  double a = 0.6;
  double b = 0.6;
  Spread spread = Spread::time;
};

class Beta final : public Grid {
 public:
  explicit Beta(const BetaGridConfig& config) : config_(config) {}

  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    const bool by_time = config_.spread == Spread::time;
    const double high = by_time ? path.last() : largest_ratio(path, 0.0);
    const double low = by_time ? path.first() : smallest_ratio(path, 0.0);
    std::vector<double> places;
    for (int i = 0; i < steps; ++i) {
      const double level = steps == 1 ? 1.0 : 1.0 - static_cast<double>(i) / (steps - 1);
      places.push_back(low + (high - low) * beta_quantile(level, config_.a, config_.b));
    }
    if (!by_time) return times_of(path, places);
    places.push_back(0.0);
    return places;
  }

 private:
  BetaGridConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&BetaGridConfig::a>({.doc = "The smaller, the shorter the steps near the data.",
                                      .range = api::between(0.05, 100.0)}),
    api::setting<&BetaGridConfig::b>({.doc = "The smaller, the shorter the steps near the noise.",
                                      .range = api::between(0.05, 100.0)}),
    api::setting<&BetaGridConfig::spread>(
        {.doc = "What the quantiles are of: times, as published, or noise levels."}),
};

constexpr api::Text kText = {
    .name = "process.grid.beta",
    .summary = "Quantiles of a Beta distribution: short steps at both ends.",
    .source =
        "Lee et al. (2024), Beta sampling is all you need: efficient image generation "
        "strategy for diffusion models using stepwise spectral analysis",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_beta) =
    gradatim::api::component<gradatim::process::Beta, gradatim::process::BetaGridConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
