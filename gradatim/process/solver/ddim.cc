// x_b = alpha_b D + sqrt(sigma_b^2 - s^2) E + s z with s = eta times the posterior's deviation.
// eta = 0 is deterministic, eta = 1 is DDPM's ancestral step; between them the marginals are q(x_t)
// all the same.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct DdimConfig {
  double eta = 0.0;
};

class Ddim final : public LinearSolver {
 public:
  explicit Ddim(const DdimConfig& config) : eta_(config.eta) {}

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a).let(kState, jump(a, b, eta_ * posterior_deviation(a, b))).reach(i + 1);
    }
  }

 private:
  double eta_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&DdimConfig::eta>(
        {.doc = "Share of the posterior's noise: 0 is deterministic, 1 is DDPM.",
         .range = api::between(0.0, 1.0)}),
};

constexpr api::Text kText = {
    .name = "process.solver.ddim",
    .summary = "One evaluation a step, deterministic or with noise.",
    .detail =
        "With eta = 0 a first-order method for the probability-flow ODE, the same as euler "
        "and as DPM-Solver++ of order 1; for every eta the marginals of exact predictions "
        "are those of the path.",
    .source = "Song, Meng and Ermon (2021), Denoising diffusion implicit models, equation 12",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 0.9 on a Gaussian (trailing, 40 to 160 steps); error on two modes "
        "(quadratic) at 10, 20, 40 evaluations: 1.5e-01, 1.3e-01, 1.2e-01",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_ddim) =
    gradatim::api::component<gradatim::process::Ddim, gradatim::process::DdimConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
