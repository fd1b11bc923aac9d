// A table of betas that the user gives.
#include "gradatim/api/export.h"
#include "gradatim/process/path/table_path.h"

namespace gradatim::process {
namespace {

struct GivenConfig {
  api::List<double, 4096> betas = {1e-4, 0.02};
  bool zero_terminal_snr = false;
};

class GivenPath final : public TablePath {
 public:
  explicit GivenPath(const GivenConfig& config)
      : TablePath({config.betas.begin(), config.betas.size}, config.zero_terminal_snr) {}
};

constexpr api::Setting kSettings[] = {
    api::setting<&GivenConfig::betas>(
        {.doc = "The betas, from the data to the noise.", .range = api::from_below(0.0, 1.0)}),
    api::setting<&GivenConfig::zero_terminal_snr>(
        {.doc = "Rescale so that no signal is left at the end (Lin et al. 2024)."}),
};

constexpr api::Text kText = {
    .name = "process.path.given",
    .summary = "Variance preserving, by betas of your own.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, section 2",
    .errors = "GRD-1102 there is no beta",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_given) =
    gradatim::api::component<gradatim::process::GivenPath, gradatim::process::GivenConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
