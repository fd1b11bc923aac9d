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
    for (int i = 0; i < plan.steps(); ++i) lay_singlestep(plan, i, how_, 0.0);
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
        "Needs no history, so it suits thresholds and states that are replaced between "
        "steps.",
    .source =
        "Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion "
        "probabilistic models, algorithm 1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_dpm_solver_pp_2s) =
    gradatim::api::component<gradatim::process::DpmSolverPp2s,
                             gradatim::process::DpmSolverPp2sConfig>(gradatim::process::kText,
                                                                     gradatim::process::kSettings);
