// alpha = 1 - t^n, sigma = t^n; n = 1 is rectified flow, the conditional optimal transport between
// data and noise.
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/path.h"

namespace gradatim::process {
namespace {

struct RectifiedConfig {
  double power = 1.0;
};

class RectifiedPath final : public Path {
 public:
  explicit RectifiedPath(const RectifiedConfig& config) : power_(config.power) {}

  PathPoint at(double t) const override {
    const double level = std::pow(t, power_);
    const double rate = power_ * std::pow(t, power_ - 1.0);
    return {t, 1.0 - level, level, -rate, rate};
  }
  double time_of(double ratio) const override {
    return std::isfinite(ratio) ? std::pow(ratio / (1.0 + ratio), 1.0 / power_) : 1.0;
  }

 private:
  double power_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&RectifiedConfig::power>(
        {.doc = "n of sigma = t^n.", .range = api::at_least(1.0)}),
};

constexpr api::Text kText = {
    .name = "process.path.rectified",
    .aliases = "process.path.conditional_ot",
    .summary = "Straight lines from data to noise: alpha = 1 - t, sigma = t.",
    .source =
        "Liu, Gong and Liu (2023), Flow straight and fast; Lipman et al. (2023), Flow "
        "matching for generative modeling, section 4.1",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_rectified) =
    gradatim::api::component<gradatim::process::RectifiedPath, gradatim::process::RectifiedConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
