// The probability flow by ode.h: steps as the tolerances ask, each row its own.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/process/ode.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct Rk45Config {
  double atol = 1e-5;
  double rtol = 1e-5;
};

class Rk45 final : public Solver {
 public:
  explicit Rk45(const Rk45Config& config) : config_(config) {}

  Vec solve(const Problem& problem, Vec x) const override {
    const auto times = problem.times;
    const Path& path = problem.denoiser.path();
    const bool turns =
        std::adjacent_find(times.begin(), times.end(), std::less_equal<>()) != times.end() &&
        std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) != times.end();
    GRADATIM_CHECK(times.size() >= 2 && !turns, UsageError, 1113,
                   "rk45 takes a grid of at least two times that only falls or only rises");
    for (const double t : {times.front(), times.back()}) {
      GRADATIM_CHECK(t >= 0.0 && t <= path.last(), UsageError, 1101,
                     "the grid's time {} is not on the path, which goes from 0 to {}", t,
                     path.last());
    }
    Vec end = flow(problem.space, problem.denoiser, problem.condition, x, times.front(),
                   times.back(), problem.rows, {.atol = config_.atol, .rtol = config_.rtol})
                  .x;
    if (problem.between) problem.between(1, times.back(), end);
    return end;
  }
  int steps_for(int) const override { return 0; }

 private:
  Rk45Config config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&Rk45Config::atol>(
        {.doc = "Error that a step may make.", .range = api::above(0.0)}),
    api::setting<&Rk45Config::rtol>(
        {.doc = "The same, times the size of the state.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.solver.rk45",
    .summary = "Adaptive Runge-Kutta of orders 5 and 4, to a tolerance.",
    .detail =
        "Every row has its own steps and leaves when it arrives. Of the grid only the first and "
        "the "
        "last time count; a rising one goes from data to noise. The flow runs in the angle "
        "atan(sigma / alpha), in which it is smooth up to exact data.",
    .source =
        "Dormand and Prince (1980), A family of embedded Runge-Kutta formulae; Song et al. (2021), "
        "Score-based generative modeling through stochastic differential equations, section 4.3",
    .shape = "state: [rows, dims]",
    .errors =
        "GRD-1113 a grid that turns; GRD-4021 a number is not finite; GRD-4022 the tolerance "
        "cannot be kept",
    .measured =
        "error on two modes with atol = rtol = 1e-3, 1e-5, 1e-7: 5.3e-03, 4.7e-05, "
        "3.0e-07",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_rk45) =
    gradatim::api::component<gradatim::process::Rk45, gradatim::process::Rk45Config>(
        gradatim::process::kText, gradatim::process::kSettings);
