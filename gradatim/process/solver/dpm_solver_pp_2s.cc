// DPM-Solver++ 2S: singlestep.h without noise.
#include "gradatim/api/export.h"
#include "gradatim/process/solver/continuation_settings.h"
#include "gradatim/process/solver/singlestep.h"

namespace gradatim::process {
namespace {

struct DpmSolverPp2sConfig {
  Basis basis = Basis::gain;
  double data_scale = 0.5;
};

class DpmSolverPp2s final : public LinearSolver {
 public:
  explicit DpmSolverPp2s(const DpmSolverPp2sConfig& config)
      : how_{config.basis, config.data_scale} {}
  int steps_for(int evaluations) const override { return std::max(1, evaluations / 2); }

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      if (how_.basis == Basis::gain) {
        lay_angle(plan, i, how_.data_scale);
      } else {
        lay_singlestep(plan, i, how_, 0.0);
      }
    }
  }

 private:
  Continuation how_;
};

constexpr api::Setting kSettings[] = {
    basis_setting<DpmSolverPp2sConfig>(),
    data_scale_setting<DpmSolverPp2sConfig>(),
};

constexpr api::Text kText = {
    .name = "process.solver.dpm_solver_pp_2s",
    .summary = "Singlestep on predictions of the data, two evaluations a step, second order.",
    .detail =
        "In the gain's basis a step is the midpoint rule in atan(sigma / (data_scale alpha)), "
        "which keeps the order to exact data; in the log-SNR's it is the paper's. "
        "Needs no history, so it suits thresholds and states that are replaced between "
        "steps.",
    .source =
        "Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion "
        "probabilistic models, algorithm 1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 1.9 on a Gaussian (trailing, 40 to 160 steps); error on two modes "
        "(quadratic) at 10, 20, 40 evaluations: 1.0e-01, 7.0e-02, 4.5e-03",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_dpm_solver_pp_2s) =
    gradatim::api::component<gradatim::process::DpmSolverPp2s,
                             gradatim::process::DpmSolverPp2sConfig>(gradatim::process::kText,
                                                                     gradatim::process::kSettings);
