// beta_k = sigmoid(u_k) (beta_end - beta_start) + beta_start, u even from -6 to 6.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/path/beta_settings.h"

namespace gradatim::process {
namespace {

using SigmoidConfig = BetaConfig<1, 10000, 2, 100>;

class SigmoidPath final : public TablePath {
 public:
  explicit SigmoidPath(const SigmoidConfig& config)
      : TablePath(curve(config), config.zero_terminal_snr) {}

 private:
  static std::vector<double> curve(const SigmoidConfig& config) {
    auto betas = even(-6.0, 6.0, config.betas);
    for (double& u : betas) {
      u = (config.beta_end - config.beta_start) / (1.0 + std::exp(-u)) + config.beta_start;
    }
    return betas;
  }
};

constexpr auto kSettings = beta_settings<SigmoidConfig>();

constexpr api::Text kText = {
    .name = "process.path.sigmoid",
    .summary = "Variance preserving, betas along a sigmoid.",
    .source =
        "Xu et al. (2022), GeoDiff: a geometric diffusion model for molecular conformation "
        "generation, code",
    .errors = "GRD-1102 a beta is not in [0, 1]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_sigmoid) =
    gradatim::api::component<gradatim::process::SigmoidPath, gradatim::process::SigmoidConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
