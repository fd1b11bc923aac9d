// Euler to b, then the mean of both slopes: with y = x / alpha and r = sigma / alpha the ODE is
// dy/dr = E. Two evaluations a step, the last step but one: there the data are continued to r = 0
// from the last two predictions, which costs none.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct HeunConfig {
  double data_scale = 0.5;
};

class Heun final : public LinearSolver {
 public:
  explicit Heun(const HeunConfig& config) : how_{Basis::gain, config.data_scale} {}
  int steps_for(int evaluations) const override { return (evaluations + 1) / 2; }

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      if (b.sigma == 0.0) {
        plan.ask(a).let(kState, to_data(plan, i, how_, kData)).reach(i + 1);
        continue;
      }
      plan.ask(a);
      if (a.alpha == 0.0) {  // no slope at an infinite ratio: first order
        plan.let(kState, jump(a, b)).let(kData, Sum().add(1.0, kAnswer)).reach(i + 1);
        continue;
      }
      plan.let(kGuess, jump(a, b)).let(kData, Sum().add(1.0, kAnswer));
      const double half = 0.5 * b.alpha * (b.ratio() - a.ratio());
      Sum next;
      next.add(b.alpha / a.alpha, kState);
      next.add(half, noise_of(a, kState, kData)).add(half, noise_of(b, kGuess, kAnswer));
      plan.ask(b, kGuess).let(kState, std::move(next)).reach(i + 1);
    }
  }

 private:
  static constexpr int kGuess = 1, kData = 2;

  Continuation how_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&HeunConfig::data_scale>(
        {.doc = "Standard deviation of the data, for the step to exact data.",
         .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.solver.heun",
    .summary = "Heun's second-order method, two evaluations a step.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, algorithm 1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 1.8 on a Gaussian (trailing, 40 to 160 steps); error on two modes "
        "(quadratic) at 10, 20, 40 evaluations: 9.6e-02, 2.4e-02, 6.5e-03",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_heun) =
    gradatim::api::component<gradatim::process::Heun, gradatim::process::HeunConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
