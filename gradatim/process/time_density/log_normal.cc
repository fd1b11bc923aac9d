// ln(sigma / alpha) = mean + deviation z.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/core/math.h"
#include "gradatim/process/time_density.h"

namespace gradatim::process {
namespace {

struct LogNormalConfig {
  double mean = -1.2;
  double deviation = 1.2;
};

class LogNormalTimes final : public TimeDensity {
 public:
  explicit LogNormalTimes(const LogNormalConfig& config) : config_(config) {}
  double time(const Path& path, double, double z) const override {
    const double ratio = math::exp(config_.mean + config_.deviation * z);
    return std::clamp(path.time_of(ratio), path.first(), path.last());
  }

 private:
  LogNormalConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LogNormalConfig::mean>({.doc = "Mean of ln(sigma / alpha)."}),
    api::setting<&LogNormalConfig::deviation>(
        {.doc = "Deviation of ln(sigma / alpha).", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.time_density.log_normal",
    .summary = "Noise levels whose logarithm is normal.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, table 1 (P_mean, P_std)",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_time_density_log_normal) =
    gradatim::api::component<gradatim::process::LogNormalTimes, gradatim::process::LogNormalConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
