// The reverse SDE dx = (f x - g^2 score) dt + g dw by Euler and Maruyama in the path's own time.
// From an infinite noise level, where f is infinite, an ancestral step; to exact data the
// prediction itself, without noise.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

class EulerMaruyama final : public LinearSolver {
 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a);
      if (a.alpha == 0.0 || b.sigma == 0.0) {
        plan.let(kState, jump(a, b, posterior_deviation(a, b))).reach(i + 1);
        continue;
      }
      const double step = a.t - b.t;
      const double spread = a.diffusion() * step;
      // score = -E / sigma
      Sum next = Sum().add(1.0 - a.drift() * step, kState);
      next.add(-spread / a.sigma, noise_of(a)).add_noise(std::sqrt(spread));
      plan.let(kState, std::move(next)).reach(i + 1);
    }
  }
};

constexpr api::Text kText = {
    .name = "process.solver.euler_maruyama",
    .summary = "The reverse SDE by the Euler-Maruyama method, one evaluation a step.",
    .detail =
        "Kept to compare with: it needs many steps, and large ones overshoot. ddim with "
        "eta = 1 solves the same SDE with its linear part exact.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations, section 4.1",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
    .measured =
        "order 1.0 on a Gaussian (trailing, 40 to 160 steps); error on it (quadratic) at "
        "10, 20, 40 evaluations: 4.8e-02, 2.4e-02, 1.2e-02",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_euler_maruyama) =
    gradatim::api::component<gradatim::process::EulerMaruyama, gradatim::api::NoSettings>(
        gradatim::process::kText);
