// Steps of DPM-Solver++ 2S and its SDE form: the data are predicted at a and at a point s between,
// and continued by the line through both.
#pragma once

#include <algorithm>

#include "gradatim/process/solver.h"

namespace gradatim::process {

/// Step i. The noise up to s is kept and carried on to b, so that both states see one path of the
/// SDE.
inline void lay_singlestep(Planner& plan, int i, const Continuation& how, double eta) {
  constexpr int kGuess = 1, kData = 2, kNoise = 3;
  const PathPoint& a = plan.point(i);
  const PathPoint& b = plan.point(i + 1);
  const PathPoint s = between(plan.path(), a, b, how);
  Sum guess = carried(a, s, eta);
  const double noise = guess.noise;
  guess.add(data_weights(a, s, {&a, 1}, how, eta)[0], kAnswer);
  plan.ask(a).let(kGuess, std::move(guess)).let(kData, Sum().add(1.0, kAnswer));
  if (noise > 0.0) plan.let(kNoise, Sum().add_noise(noise));
  const PathPoint nodes[] = {s, a};
  const auto weights = data_weights(a, b, nodes, how, eta);
  Sum next = Sum().add(weights[0], kAnswer).add(weights[1], kData);
  for (const Sum::Part& part : carried(a, b, eta).parts) next.add(part.c, part.slot);
  const Sum rest = carried(s, b, eta);
  for (const Sum::Part& part : rest.parts) {
    if (noise > 0.0) next.add(part.c, kNoise);
  }
  plan.ask(s, kGuess).let(kState, std::move(next.add_noise(rest.noise))).reach(i + 1);
}

}  // namespace gradatim::process
