// Adams and Bashforth on uneven steps of r = sigma / alpha: the noise is continued as a polynomial
// in r, whose integral is exact.
#include "gradatim/api/export.h"
#include "gradatim/process/solver/continuation_settings.h"
#include "gradatim/process/solver/noise_multistep.h"

namespace gradatim::process {
namespace {

struct LmsConfig {
  int order = 4;
};

class Lms final : public NoiseMultistep {
 public:
  explicit Lms(const LmsConfig& config) : NoiseMultistep(config.order) {}

 protected:
  std::vector<double> weights(const Path&, const PathPoint& a, const PathPoint& b,
                              std::span<const PathPoint> nodes) const override {
    return noise_weights(a, b, nodes, [](double ratio) { return ratio; });
  }
};

constexpr api::Setting kSettings[] = {
    order_setting<LmsConfig>(),
};

constexpr api::Text kText = {
    .name = "process.solver.lms",
    .summary = "Linear multistep in the noise level, one evaluation a step.",
    .source =
        "Crowson (2022), k-diffusion, sample_lms; Hairer, Norsett and Wanner (1993), "
        "Solving ordinary differential equations I, section III.5",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 2.7 on a Gaussian (trailing, 40 to 160 steps); error on two modes "
        "(quadratic) at 10, 20, 40 evaluations: 1.2e-01, 9.1e-02, 2.1e-03",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_lms) =
    gradatim::api::component<gradatim::process::Lms, gradatim::process::LmsConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
