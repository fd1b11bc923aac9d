#include "gradatim/process/diffusers/run.h"

#include <array>
#include <vector>

namespace gradatim::process::diffusers {
namespace {

bool guided_at(const Guiding& guiding, const Level& level) {
  if (guiding.weight == 1.0) return false;
  const double ratio =
      level.alpha > 0.0 ? level.sigma / level.alpha : std::numeric_limits<double>::infinity();
  return guiding.low <= ratio && ratio <= guiding.high;
}

// Row by row, as far as is asked for, with the deviation of `plain`.
Vec rescaled(Space& space, const Vec& guided, const Vec& plain, double strength) {
  std::vector<double> factors(static_cast<std::size_t>(guided.rows())), now(factors.size());
  space.reduce(Reduction::deviation, plain, factors);
  space.reduce(Reduction::deviation, guided, now);
  for (std::size_t row = 0; row < factors.size(); ++row) {
    const double whole = now[row] > 0.0 ? factors[row] / now[row] : 1.0;
    factors[row] = strength * whole + 1.0 - strength;
  }
  Form form;
  form.add(1.0, guided, factors);
  return space.combine(form);
}

Vec guided_output(const Loop& loop, const Vec& x, double timestep, const Level& level) {
  const Guiding& guiding = loop.guiding;
  if (!guided_at(guiding, level)) {
    Vec out;
    loop.output(x, timestep, {&loop.condition, 1}, {&out, 1});
    return out;
  }
  const std::array conditions{loop.negative, loop.condition};
  std::array<Vec, 2> out;
  loop.output(x, timestep, conditions, out);
  Form form;
  form.add(1.0 - guiding.weight, out[0]);
  form.add(guiding.weight, out[1]);
  Vec guided = loop.space.combine(form);
  return guiding.rescale > 0.0 ? rescaled(loop.space, guided, out[1], guiding.rescale) : guided;
}

}  // namespace

Vec run(const Loop& loop, Vec x) {
  const std::vector<Call> calls = loop.scheduler.plan().calls;
  if (loop.begin > 0) loop.scheduler.set_begin_index(loop.begin);
  for (std::size_t k = loop.begin; k < calls.size(); ++k) {
    const double timestep = calls[k].timestep;
    Form scaled;
    scaled.add(loop.scheduler.input_scale(timestep), x);
    const Vec seen = loop.space.combine(scaled);
    const Vec output = guided_output(loop, seen, timestep, calls[k].level);
    x = loop.scheduler.step(loop.space, output, timestep, x, {}, false).sample;
    if (!loop.between) continue;
    const bool last = k + 1 == calls.size();
    loop.between(k + 1, last ? std::nullopt : std::optional(calls[k + 1].timestep), x);
  }
  return x;
}

}  // namespace gradatim::process::diffusers
