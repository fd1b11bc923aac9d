// The noise is continued as a polynomial in the path's time, and the linear rest solved exactly:
// tAB-DEIS.
#include "gradatim/api/export.h"
#include "gradatim/process/solver/continuation_settings.h"
#include "gradatim/process/solver/noise_multistep.h"

namespace gradatim::process {
namespace {

struct DeisConfig {
  int order = 3;
};

class Deis final : public NoiseMultistep {
 public:
  explicit Deis(const DeisConfig& config) : NoiseMultistep(config.order) {}

 protected:
  std::vector<double> weights(const Path& path, const PathPoint& a, const PathPoint& b,
                              std::span<const PathPoint> nodes) const override {
    return noise_weights(a, b, nodes, [&path](double ratio) { return path.time_of(ratio); });
  }
};

constexpr api::Setting kSettings[] = {
    order_setting<DeisConfig>(),
};

constexpr api::Text kText = {
    .name = "process.solver.deis",
    .summary = "Multistep on predictions of the noise as polynomials in time.",
    .detail =
        "On paths whose noise level starts as a root of time the step to exact data is of "
        "lower order than the others.",
    .source =
        "Zhang and Chen (2023), Fast sampling of diffusion models with exponential "
        "integrator, section 3",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_deis) =
    gradatim::api::component<gradatim::process::Deis, gradatim::process::DeisConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
