// dx = sqrt(d sigma^2 / dt) dw with sigma_min (sigma_max / sigma_min)^t: alpha = 1 and, since t = 0
// is exact data, sigma = sigma_min sqrt(k^(2t) - 1), k = sigma_max / sigma_min.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/path.h"

namespace gradatim::process {
namespace {

struct VeConfig {
  double sigma_min = 0.01;
  double sigma_max = 50.0;
};

class VePath final : public Path {
 public:
  explicit VePath(const VeConfig& config)
      : low_(config.sigma_min), log_(std::log(config.sigma_max / config.sigma_min)) {
    GRADATIM_CHECK(config.sigma_min < config.sigma_max, UsageError, 1130,
                   "sigma_min = {} is not below sigma_max = {}", config.sigma_min,
                   config.sigma_max);
  }

  PathPoint at(double t) const override {
    const double grown = std::expm1(2.0 * t * log_);
    const double sigma = low_ * std::sqrt(grown);
    return {t, 1.0, sigma, 0.0, low_ * low_ * log_ * (grown + 1.0) / sigma};
  }
  double time_of(double ratio) const override {
    const double r = ratio / low_;
    return std::min(1.0, 0.5 * std::log1p(r * r) / log_);
  }
  double first() const override { return 1e-5; }

 private:
  double low_, log_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&VeConfig::sigma_min>(
        {.doc = "The smallest noise level.", .range = api::above(0.0)}),
    api::setting<&VeConfig::sigma_max>(
        {.doc = "The largest noise level, about the largest distance between two data points.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.path.ve",
    .summary = "The variance-exploding SDE.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations, equation 9",
    .errors = "GRD-1130 sigma_min is not below sigma_max",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_ve) =
    gradatim::api::component<gradatim::process::VePath, gradatim::process::VeConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
