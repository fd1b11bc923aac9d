// Steps of the midpoint method that dpm_solver_2 and its ancestral form share. With y = x / alpha
// and r = sigma / alpha: Euler to a point between, then from a along the slope there.
#pragma once

#include <algorithm>
#include <cmath>

#include "gradatim/process/solver.h"

namespace gradatim::process {

/// Step i, with eta times the posterior's noise drawn anew. At an infinite ratio there is no slope:
/// first order. To exact data the predictions so far are continued.
inline void lay_midpoint(Planner& plan, int i, const Continuation& how, double eta) {
  constexpr int kGuess = 1, kData = 2;
  const PathPoint& a = plan.point(i);
  const PathPoint& b = plan.point(i + 1);
  plan.ask(a);
  if (b.sigma == 0.0) {
    plan.let(kState, to_data(plan, i, how, kData)).reach(i + 1);
    return;
  }
  const double fresh = eta * posterior_deviation(a, b);
  plan.let(kData, Sum().add(1.0, kAnswer));
  const double down = std::sqrt(std::max(0.0, b.sigma * b.sigma - fresh * fresh)) / b.alpha;
  if (a.alpha == 0.0 || down == 0.0) {
    plan.let(kState, jump(a, b, fresh)).reach(i + 1);
    return;
  }
  const PathPoint middle = mean_noise_point(plan.path(), a.ratio(), down, how.data_scale);
  plan.let(kGuess, by_noise(a, middle, noise_of(a)));
  Sum next = Sum().add(b.alpha / a.alpha, kState);
  next.add(b.alpha * (down - a.ratio()), noise_of(middle, kGuess)).add_noise(fresh);
  plan.ask(middle, kGuess).let(kState, std::move(next)).reach(i + 1);
}

}  // namespace gradatim::process
