// A deterministic step to s = (1 - gamma) t_b, and noise from there up to b.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct TcdConfig {
  double gamma = 0.3;
};

class Tcd final : public LinearSolver {
 public:
  explicit Tcd(const TcdConfig& config) : gamma_(config.gamma) {}

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      const PathPoint s = plan.path().at((1.0 - gamma_) * b.t);
      const double kept = b.alpha / s.alpha * s.sigma;
      const double fresh = std::sqrt(std::max(0.0, b.sigma * b.sigma - kept * kept));
      plan.ask(a).let(kState, jump(a, b, fresh)).reach(i + 1);
    }
  }

 private:
  double gamma_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&TcdConfig::gamma>(
        {.doc = "How far below the next time the step goes: 0 is deterministic, 1 the consistency "
                "step.",
         .range = api::between(0.0, 1.0)}),
};

constexpr api::Text kText = {
    .name = "process.solver.tcd",
    .summary = "Steps of a trajectory consistency model.",
    .detail = "With gamma = 0 the same numbers as ddim with eta = 0.",
    .source = "Zheng et al. (2024), Trajectory consistency distillation, algorithm 4",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_tcd) =
    gradatim::api::component<gradatim::process::Tcd, gradatim::process::TcdConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
