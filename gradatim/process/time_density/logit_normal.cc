// t / last = 1 / (1 + exp(-(mean + deviation z))).
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/math.h"
#include "gradatim/process/time_density.h"

namespace gradatim::process {
namespace {

struct LogitNormalConfig {
  double mean = 0.0;
  double deviation = 1.0;
};

class LogitNormalTimes final : public TimeDensity {
 public:
  explicit LogitNormalTimes(const LogitNormalConfig& config) : config_(config) {}
  double time(const Path& path, double, double z) const override {
    const double logit = config_.mean + config_.deviation * z;
    return std::max(path.first(), path.last() / (1.0 + math::exp(-logit)));
  }

 private:
  LogitNormalConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LogitNormalConfig::mean>({.doc = "Mean of the logit; above 0: more noise."}),
    api::setting<&LogitNormalConfig::deviation>(
        {.doc = "Deviation of the logit.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.time_density.logit_normal",
    .summary = "The middle of the path more often than its ends.",
    .source =
        "Esser et al. (2024), Scaling rectified flow transformers for high-resolution image "
        "synthesis, section 3.1",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_time_density_logit_normal) =
    gradatim::api::component<gradatim::process::LogitNormalTimes,
                             gradatim::process::LogitNormalConfig>(gradatim::process::kText,
                                                                   gradatim::process::kSettings);
