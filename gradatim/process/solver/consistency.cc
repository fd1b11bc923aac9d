// x_b = alpha_b D + sigma_b z: the field is asked for the data, and all noise is drawn anew.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

class Consistency final : public LinearSolver {
 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a).let(kState, jump(a, b, b.sigma)).reach(i + 1);
    }
  }
};

constexpr api::Text kText = {
    .name = "process.solver.consistency",
    .summary = "Steps of a consistency model: to the data, and back up with fresh noise.",
    .detail =
        "For fields that put out the end of the probability flow. With those the samples "
        "have the data's distribution after any number of steps; with the posterior means "
        "of a diffusion model they have too little variance, however many steps are "
        "taken.",
    .source = "Song et al. (2023), Consistency models, algorithm 1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_consistency) =
    gradatim::api::component<gradatim::process::Consistency, gradatim::api::NoSettings>(
        gradatim::process::kText);
