// Heun's method in sigma (Karras et al. 2022, algorithm 1 without noise): two calls a step, but the
// last to zero.
#include <cmath>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/sigma.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kStart = 1, kSlope = 2;

Sum data(const Config& config, double sigma) {
  if (config.is("prediction_type", "sample")) return Sum().add(1.0, kOutput);
  return data_of_scaled(config, sigma);
}

Sum slope(double sigma) { return Sum().add(1.0 / sigma, kState).add(-1.0 / sigma, kAnswer); }

Plan lay(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config));
  const Grid grid = twice(sigma_grid(config, request, table));
  Plan plan = scaled_plan(config, grid, 2);
  plan.slots = 3;
  const std::size_t count = grid.timesteps.size();
  bool first = true;
  for (std::size_t i = request.begin; i < count; ++i, first = !first) {
    // Stages stand at i - 1, i or i, i + 1 of the doubled list.
    const double from = grid.sigmas[first ? i : i - 1];
    const double to = grid.sigmas[first ? i + 1 : i];
    Call call = scaled_call(grid, i);
    call.data = data(config, first ? from : to);
    treat(config, call);
    if (first) {
      call.let(kState, Sum().add(1.0, kState).add(to - from, slope(from)));
      call.let(kStart, Sum().add(1.0, kState)).let(kSlope, slope(from));
    } else {
      const double half = 0.5 * (to - from);
      call.let(kState, Sum().add(1.0, kStart).add(half, kSlope).add(half, slope(to)));
    }
    plan.calls.push_back(std::move(call));
  }
  return placed(std::move(plan), grid, request.begin);
}

}  // namespace

const Family kHeun{"HeunDiscreteScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
  "beta_schedule": "linear", "trained_betas": null, "prediction_type": "epsilon",
  "use_karras_sigmas": false, "use_exponential_sigmas": false, "use_beta_sigmas": false,
  "clip_sample": false, "clip_sample_range": 1.0, "timestep_spacing": "linspace",
  "steps_offset": 0})",
                   lay, Spacing::scaled, [](const Config&, const Request&) -> std::string {
                     return R"({"component": "process.solver.heun"})";
                   }};

}  // namespace gradatim::process::diffusers
