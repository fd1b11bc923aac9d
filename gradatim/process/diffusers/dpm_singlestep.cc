// DPM-Solver++, singlestep (Lu et al. 2022): steps of one, two and three calls in turn, the later
// ones beginning again where the first did.
#include <algorithm>

#include "gradatim/process/diffusers/exponential.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kStart = 1, kHistory = 2;

// How many calls back each call's step began, and one more: 1 2 3 1 2 3 ..., ending as asked.
std::vector<std::size_t> orders(const Config& config, std::size_t count) {
  const auto order = static_cast<std::size_t>(config.integer("solver_order"));
  const bool zero = config.is("final_sigmas_type", "zero");
  const bool lower = config.flag("lower_order_final") || count % order != 0 || zero;
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back(i % order + 1);
  if (lower) {
    all.back() = 1;
    if (order == 3 && count % 3 == 0) all[count - 2] = 2;
    if (order == 3 && count % 3 == 2) all.back() = 2;
  }
  if (zero) all.back() = 1;
  return all;
}

Plan lay(const Config& config, const Request& request) {
  const auto name = algorithm(config);
  const bool zero = config.is("final_sigmas_type", "zero");
  if (name == "sde-dpmsolver" || (zero && !of_data(name))) {
    refuse(config, "algorithm_type '" + name + "' with that final_sigmas_type");
  }
  const auto table = sigmas(alpha_bars(config));
  Grid grid = multistep_grid(config, request, table, true);
  grid.sigmas.push_back(zero ? 0.0 : table.front());
  const auto points = points_of(config, grid.sigmas);
  const std::size_t begin = request.begin;
  Plan plan = exponential_plan(config, grid, points, begin, kHistory + 3);
  const auto slot = [](std::size_t i) { return kHistory + static_cast<int>(i % 3); };
  const auto wanted = orders(config, grid.timesteps.size());
  for (std::size_t i = begin; i < grid.timesteps.size(); ++i) {
    Call call = exponential_call(config, grid.timesteps[i], points[i]);
    call.draws = stochastic(name);
    const std::size_t order = std::min(wanted[i], i - begin + 1);
    const Point& first = points[i + 1 - order];
    const Point& to = points[i + 1];
    const Weights w = weights(name, first, to);
    const Sum newest = value_of(of_data(name), points[i]);
    const Sum oldest = order == 1 ? newest : Sum().add(1.0, slot(i + 1 - order));
    Sum next = Sum().add(w.carried, order == 1 ? kState : kStart);
    next.add(w.value, oldest).add(w.noise, kNoise);
    if (order > 1) {
      const double h = to.lambda - first.lambda;
      const double r0 = (points[i].lambda - first.lambda) / h;
      const Sum far = Sum().add(1.0 / r0, newest).add(-1.0 / r0, oldest);
      if (order == 2) {
        next.add(midpoint(config) ? w.half : w.slope, far);
      } else if (midpoint(config)) {
        next.add(w.slope, far);
      } else {
        const double r1 = (points[i - 1].lambda - first.lambda) / h;
        const Sum near = Sum().add(1.0 / r1, slot(i - 1)).add(-1.0 / r1, oldest);
        next.add(w.slope * r0 / (r0 - r1), near).add(-w.slope * r1 / (r0 - r1), far);
        next.add(2.0 * w.bend / (r0 - r1), far).add(-2.0 * w.bend / (r0 - r1), near);
      }
    }
    call.let(kState, std::move(next)).let(slot(i), newest);
    if (order == 1) call.let(kStart, Sum().add(1.0, kState));
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

}  // namespace

const Family kDpmSinglestep{"DPMSolverSinglestepScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "solver_order": 2, "prediction_type": "epsilon", "thresholding": false,
  "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "algorithm_type": "dpmsolver++",
  "solver_type": "midpoint", "lower_order_final": false, "use_karras_sigmas": false,
  "use_exponential_sigmas": false, "use_beta_sigmas": false, "use_flow_sigmas": false,
  "flow_shift": 1.0, "final_sigmas_type": "zero", "lambda_min_clipped": -Infinity,
  "variance_type": null, "use_dynamic_shifting": false, "time_shift_type": "exponential"})",
                            lay, Spacing::multistep, dpm_solver_singlestep};

}  // namespace gradatim::process::diffusers
