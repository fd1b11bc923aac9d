// Steps of DPM-Solver++ 2S and its SDE form: the data are predicted at a and at a point s between,
// and continued by the line through both. Without noise there is also the midpoint in an angle.
#pragma once

#include <algorithm>
#include <cmath>

#include "gradatim/process/solver.h"

namespace gradatim::process {

/// Step i without noise, in the angle phi = atan(sigma / (c alpha)) with c the scale of the data.
/// u = x / sqrt(c^2 alpha^2 + sigma^2) = cos(phi) D / c + sin(phi) E hardly moves, and its slope
/// cos(phi) E - sin(phi) D / c suffers at neither end from an error of the state it was asked at:
/// the midpoint rule keeps its order from an infinite ratio to exact data.
inline void lay_angle(Planner& plan, int i, double c) {
  constexpr int kGuess = 1;
  const auto angle = [c](const PathPoint& p) { return std::atan2(p.sigma, c * p.alpha); };
  const auto norm = [c](const PathPoint& p) { return std::hypot(p.sigma, c * p.alpha); };
  const auto slope = [&](const PathPoint& p, int at) {
    Sum sum = Sum().add(std::cos(angle(p)), noise_of(p, at));
    return sum.add(-std::sin(angle(p)) / c, kAnswer);
  };
  const PathPoint& a = plan.point(i);
  const PathPoint& b = plan.point(i + 1);
  const double half = 0.5 * (angle(b) - angle(a));
  const PathPoint s = plan.path().at(plan.path().time_of(c * std::tan(angle(a) + half)));
  const auto step = [&](const PathPoint& to, double length, const Sum& along) {
    return Sum().add(norm(to) / norm(a), kState).add(norm(to) * length, along);
  };
  plan.ask(a).let(kGuess, step(s, angle(s) - angle(a), slope(a, kState)));
  plan.ask(s, kGuess).let(kState, step(b, 2.0 * half, slope(s, kGuess))).reach(i + 1);
}

/// Step i. The noise up to s is kept and carried on to b, so that both states see one path of the
/// SDE. The step to exact data is deterministic, by the midpoint rule on the noise.
inline void lay_singlestep(Planner& plan, int i, const Continuation& how, double eta) {
  constexpr int kGuess = 1, kData = 2, kNoise = 3;
  const PathPoint& a = plan.point(i);
  const PathPoint& b = plan.point(i + 1);
  if (b.sigma == 0.0 && a.alpha > 0.0) {
    // An error of the data at s would not shrink on the way to exact data; one of the noise does.
    const PathPoint middle = mean_noise_point(plan.path(), a.ratio(), 0.0, how.data_scale);
    plan.ask(a).let(kGuess, by_noise(a, middle, noise_of(a)));
    plan.ask(middle, kGuess).let(kState, by_noise(a, b, noise_of(middle, kGuess))).reach(i + 1);
    return;
  }
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
