// The last `order` predictions of the data, continued by a polynomial, and the linear rest solved
// exactly: x_b = (sigma_b / sigma_a) x_a + sum w_j D_j (planner.h, data_weights). eta = 1 solves
// the reverse SDE the same way.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct MultistepConfig {
  int order = 2;
  double eta = 0.0;
  Basis basis = Basis::gain;
  double data_scale = 0.5;
};

class DpmSolverPp2m final : public LinearSolver {
 public:
  explicit DpmSolverPp2m(const MultistepConfig& config) : config_(config) {}

 protected:
  void lay(Planner& plan) const override {
    const Continuation how{config_.basis, config_.data_scale};
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      const auto nodes = plan.behind(i, config_.order);
      const auto weights = data_weights(a, b, nodes, how, config_.eta);
      Sum next = carried(a, b, config_.eta);
      next.add(weights[0], kAnswer);
      for (std::size_t j = 1; j < weights.size(); ++j) {
        next.add(weights[j], slot(i - static_cast<int>(j)));
      }
      plan.ask(a).let(kState, std::move(next));
      if (config_.order > 1 && i + 1 < plan.steps()) plan.let(slot(i), Sum().add(1.0, kAnswer));
      plan.reach(i + 1);
    }
  }

 private:
  int slot(int i) const { return 1 + i % config_.order; }
  MultistepConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&MultistepConfig::order>(
        {.doc = "How many predictions a step uses; the first steps use what is there.",
         .range = api::between(1, 4)}),
    api::setting<&MultistepConfig::eta>(
        {.doc = "Noise drawn anew: 0 solves the probability-flow ODE, 1 the reverse SDE.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&MultistepConfig::basis>(
        {.doc = "What predictions are polynomials of: the gain, which is finite at both ends, or "
                "the log-SNR as published."}),
    api::setting<&MultistepConfig::data_scale>(
        {.doc = "Standard deviation of the data that the gain is measured by.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.solver.dpm_solver_pp_2m",
    .summary = "Multistep on predictions of the data: one evaluation a step, second order.",
    .detail =
        "In the gain's basis the last step, to exact data, keeps the order; in the log-SNR's "
        "it is of first order, as in the paper.",
    .source =
        "Lu et al. (2022), DPM-Solver++: fast solver for guided sampling of diffusion "
        "probabilistic models, algorithm 2",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_dpm_solver_pp_2m) =
    gradatim::api::component<gradatim::process::DpmSolverPp2m, gradatim::process::MultistepConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
