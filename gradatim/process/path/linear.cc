// beta_k even from beta_start to beta_end.
#include "gradatim/api/export.h"
#include "gradatim/process/path/beta_settings.h"

namespace gradatim::process {
namespace {

class LinearPath final : public TablePath {
 public:
  explicit LinearPath(const BetaConfig<1, 10000, 2, 100>& config)
      : TablePath(even(config.beta_start, config.beta_end, config.betas),
                  config.zero_terminal_snr) {}
};

constexpr auto kSettings = beta_settings<BetaConfig<1, 10000, 2, 100>>();

constexpr api::Text kText = {
    .name = "process.path.linear",
    .summary = "Variance preserving, by betas that grow evenly.",
    .detail = "Entry k of T betas stands at t = (k + 1) / T.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, section 4",
    .errors = "GRD-1102 a beta is not in [0, 1]",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_linear) = gradatim::api::component<
    gradatim::process::LinearPath, gradatim::process::BetaConfig<1, 10000, 2, 100>>(
    gradatim::process::kText, gradatim::process::kSettings);
