#include "gradatim/process/solver.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::process {

std::optional<Program> LinearSolver::program(const Path& path,
                                             std::span<const double> times) const {
  return plan(
      path, times, [this](Planner& planner) { lay(planner); }, rising());
}

Vec LinearSolver::solve(const Problem& problem, Vec x) const {
  const Program steps = *program(problem.denoiser.path(), problem.times);
  GRADATIM_CHECK(problem.denoiser.independent_noise() || !steps.draws_noise(), UsageError, 1189,
                 "this solver draws noise in its steps, and the model is a flow without the score "
                 "that would make up for it; take one that draws none, such as rk45 or heun");
  LinearRun run(problem.space, steps, std::move(x), problem.rows);
  Form data;
  Vec variance;
  while (!run.done()) {
    check_interrupt();
    const double t = run.stage().point.t;
    problem.denoiser.data_and_aside(
        problem.space, run.query(), {&problem.condition, 1}, {&data, 1},
        {.variance = {&variance, run.stage().asks_variance() ? std::size_t{1} : 0}});
    const std::int64_t before = run.finished_steps();
    const bool finite = run.answer(data, variance);
    data.clear();
    variance = {};
    GRADATIM_CHECK(finite, NumericError, 4021,
                   "the sample is not finite after step {}: the field gave NaN or infinity at "
                   "t = {}",
                   before + 1, t);
    if (run.finished_steps() != before && problem.between) {
      Vec state = run.state();
      problem.between(run.finished_steps(), run.time(), state);
      if (state.storage() != run.state().storage()) run.replace(std::move(state));
    }
    run.go_on();
  }
  return run.state();
}

}  // namespace gradatim::process
