// DPM2 in sigma and its ancestral form (Karras et al. 2022, algorithm 2; k-diffusion): the slope at
// the geometric middle of two levels carries the whole step.
#include <cmath>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/sigma.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kStart = 1;

double middle(double a, double b) { return a == 0.0 || b == 0.0 ? 0.0 : std::sqrt(a * b); }

Plan lay_either(const Config& config, const Request& request, bool ancestral) {
  const auto table = sigmas(alpha_bars(config));
  Grid base = sigma_grid(config, request, table);
  if (rule(config) == Rule::karras) {
    for (double& t : base.timesteps) t = std::nearbyint(t);
  }
  base.sigmas.push_back(0.0);
  const std::size_t count = base.timesteps.size();
  // Between level i and the next: the level where the step ends, the noise then, the middle.
  std::vector<double> down, up, half;
  for (std::size_t i = 0; i < count; ++i) {
    const auto split = ancestral_split(base.sigmas[i], base.sigmas[i + 1]);
    down.push_back(ancestral ? split.down : base.sigmas[i + 1]);
    up.push_back(ancestral ? split.up : 0.0);
    half.push_back(middle(base.sigmas[i], down.back()));
  }
  Grid grid{{base.timesteps[0]}, {base.sigmas[0]}};
  for (std::size_t i = 0; i + 1 < count; ++i) {
    grid.timesteps.push_back(time_of(table, half[i]));
    grid.timesteps.push_back(base.timesteps[i + 1]);
  }
  for (std::size_t i = 1; i <= count; ++i) grid.sigmas.insert(grid.sigmas.end(), 2, base.sigmas[i]);
  Plan plan = scaled_plan(config, grid, 2);
  plan.slots = 2;
  bool first = true;
  for (std::size_t i = request.begin; i < grid.timesteps.size(); ++i, first = !first) {
    const std::size_t step = (first ? i : i - 1) / 2;
    // What a network sees is divided by the middle's own level at the middle.
    Call call = scaled_call(grid, i);
    const double from = base.sigmas[step];
    const double at = first ? from : half[step];
    if (!first) call.input_scale = 1.0 / std::hypot(half[step], 1.0);
    call.data = data_of_scaled(config, at);
    if (first) {
      const double part = (half[step] - from) / from;
      call.let(kState, Sum().add(1.0 + part, kState).add(-part, kAnswer));
      call.let(kStart, Sum().add(1.0, kState));
    } else {
      const double part = (down[step] - from) / at;
      call.draws = ancestral;
      call.let(kState,
               Sum().add(1.0, kStart).add(part, kState).add(-part, kAnswer).add(up[step], kNoise));
    }
    plan.calls.push_back(std::move(call));
  }
  return placed(std::move(plan), grid, request.begin);
}

Plan lay(const Config& config, const Request& request) {
  return lay_either(config, request, false);
}
Plan lay_ancestral(const Config& config, const Request& request) {
  return lay_either(config, request, true);
}

constexpr std::string_view kDefaults = R"({
  "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
  "beta_schedule": "linear", "trained_betas": null, "use_karras_sigmas": false,
  "use_exponential_sigmas": false, "use_beta_sigmas": false, "prediction_type": "epsilon",
  "timestep_spacing": "linspace", "steps_offset": 0})";

}  // namespace

const Family kKdpm2{"KDPM2DiscreteScheduler", kDefaults, lay, Spacing::scaled,
                    [](const Config&, const Request&) -> std::string {
                      return R"({"component": "process.solver.dpm_solver_2"})";
                    }};
const Family kKdpm2Ancestral{"KDPM2AncestralDiscreteScheduler", kDefaults, lay_ancestral,
                             Spacing::scaled, [](const Config&, const Request&) -> std::string {
                               return R"({"component": "process.solver.dpm_solver_2_ancestral"})";
                             }};

}  // namespace gradatim::process::diffusers
