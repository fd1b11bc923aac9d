// sqrt(beta_k) even from sqrt(beta_start) to sqrt(beta_end): Stable Diffusion's.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/path/beta_settings.h"

namespace gradatim::process {
namespace {

class ScaledLinearPath final : public TablePath {
 public:
  explicit ScaledLinearPath(const BetaConfig<85, 100000, 12, 1000>& config)
      : TablePath(
            squares(even(std::sqrt(config.beta_start), std::sqrt(config.beta_end), config.betas)),
            config.zero_terminal_snr) {}

 private:
  static std::vector<double> squares(std::vector<double> roots) {
    for (double& root : roots) root *= root;
    return roots;
  }
};

constexpr auto kSettings = beta_settings<BetaConfig<85, 100000, 12, 1000>>();

constexpr api::Text kText = {
    .name = "process.path.scaled_linear",
    .summary = "Variance preserving, by betas whose roots grow evenly.",
    .detail = "Entry k of T betas stands at t = (k + 1) / T.",
    .source =
        "Rombach et al. (2022), High-resolution image synthesis with latent diffusion models, code",
    .errors = "GRD-1102 a beta is not in [0, 1]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_scaled_linear) = gradatim::api::component<
    gradatim::process::ScaledLinearPath, gradatim::process::BetaConfig<85, 100000, 12, 1000>>(
    gradatim::process::kText, gradatim::process::kSettings);
