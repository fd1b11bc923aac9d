// alpha = 1, sigma = t: the noise level is the time.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/path.h"

namespace gradatim::process {
namespace {

struct EdmPathConfig {
  double sigma_min = 0.002;
  double sigma_max = 80.0;
};

class EdmPath final : public Path {
 public:
  explicit EdmPath(const EdmPathConfig& config)
      : first_(config.sigma_min), last_(config.sigma_max) {
    GRADATIM_CHECK(config.sigma_min < config.sigma_max, UsageError, 1130,
                   "sigma_min = {} is not below sigma_max = {}", config.sigma_min,
                   config.sigma_max);
  }

  PathPoint at(double t) const override { return {t, 1.0, t, 0.0, 1.0}; }
  double time_of(double ratio) const override { return std::min(ratio, last_); }
  double last() const override { return last_; }
  double first() const override { return first_; }
  double model_time(double t) const override { return 0.25 * std::log(t); }  // c_noise

 private:
  double first_, last_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&EdmPathConfig::sigma_min>(
        {.doc = "The smallest noise level of grids.", .range = api::above(0.0)}),
    api::setting<&EdmPathConfig::sigma_max>(
        {.doc = "The largest noise level.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.path.edm",
    .summary = "The noise level is the time: alpha = 1, sigma = t.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, table 1",
    .errors = "GRD-1130 sigma_min is not below sigma_max",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_edm) =
    gradatim::api::component<gradatim::process::EdmPath, gradatim::process::EdmPathConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
