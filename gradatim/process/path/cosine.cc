// alpha_bar(t) = cos^2((t + s) / (1 + s) pi / 2), as a table of betas of at most 0.999.
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/process/path/table_path.h"

namespace gradatim::process {
namespace {

struct CosineConfig {
  int betas = 1000;
  double offset = 0.008;
  bool zero_terminal_snr = false;
};

class CosinePath final : public TablePath {
 public:
  explicit CosinePath(const CosineConfig& config)
      : TablePath(betas_of(config.betas, 0.999,
                           [&](double t) {
                             const double angle = (t + config.offset) / (1.0 + config.offset);
                             const double c = std::cos(angle * std::numbers::pi / 2.0);
                             return c * c;
                           }),
                  config.zero_terminal_snr) {}
};

constexpr api::Setting kSettings[] = {
    api::setting<&CosineConfig::betas>(
        {.doc = "How many steps the table has, T.", .range = api::between(1, 100000)}),
    api::setting<&CosineConfig::offset>(
        {.doc = "s, which keeps the first beta from being too small.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&CosineConfig::zero_terminal_snr>(
        {.doc = "Rescale so that no signal is left at the end (Lin et al. 2024)."}),
};

constexpr api::Text kText = {
    .name = "process.path.cosine",
    .summary = "Variance preserving, alpha falling as a cosine.",
    .source =
        "Nichol and Dhariwal (2021), Improved denoising diffusion probabilistic models, "
        "section 3.2",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_cosine) =
    gradatim::api::component<gradatim::process::CosinePath, gradatim::process::CosineConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
