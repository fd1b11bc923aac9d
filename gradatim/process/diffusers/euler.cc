// Euler's steps in sigma, and the ancestral ones (Karras et al. 2022; k-diffusion): the sample is
// data + sigma noise, and moves along (x - D) / sigma.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"
#include "gradatim/process/diffusers/sigma.h"

namespace gradatim::process::diffusers {
namespace {

Plan lay(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config, kLeastAlphaBar));
  Grid grid = sigma_grid(config, request, table);
  const auto count = grid.timesteps.size();
  if (config.is("interpolation_type", "log_linear") && request.sigmas.empty() && !rule(config)) {
    // The peer takes one level more than timesteps here, and the final one behind them.
    grid.sigmas =
        ruled(Rule::exponential, table.back(), table.front(), static_cast<int>(count) + 1);
  }
  const bool to_zero = config.is("final_sigmas_type", "zero");
  grid.sigmas.push_back(!request.sigmas.empty() ? request.sigmas.back()
                                                : (to_zero ? 0.0 : table.front()));
  if (config.is("timestep_type", "continuous") && config.is("prediction_type", "v_prediction")) {
    for (std::size_t i = 0; i < count; ++i) grid.timesteps[i] = 0.25 * std::log(grid.sigmas[i]);
  }
  Plan plan = scaled_plan(config, grid, 1);
  for (std::size_t i = 0; i < count; ++i) {
    const double sigma = grid.sigmas[i];
    const bool churns = sigma >= request.churn_from && sigma <= request.churn_to;
    const double gamma = churns
                             ? std::min(request.churn / static_cast<double>(grid.sigmas.size() - 1),
                                        std::numbers::sqrt2 - 1.0)
                             : 0.0;
    const double raised = sigma * (gamma + 1.0);
    const double added =
        gamma > 0.0 ? request.noise_scale * std::sqrt(raised * raised - sigma * sigma) : 0.0;
    Call call = scaled_call(grid, i);
    call.draws = gamma > 0.0;
    const bool given =
        config.is("prediction_type", "sample") || config.is("prediction_type", "original_sample");
    // v is read at the level before noise was added, as the peer has it.
    call.data =
        given ? Sum().add(1.0, kOutput)
              : data_of_scaled(config, config.is("prediction_type", "epsilon") ? raised : sigma);
    for (const Sum::Part& part : std::vector(call.data.parts)) {
      if (part.slot == kState) call.data.add(part.c * added, kNoise);
    }
    const double part = (grid.sigmas[i + 1] - raised) / raised;
    plan.calls.push_back(std::move(call.let(
        kState,
        Sum().add(1.0 + part, kState).add(-part, kAnswer).add((1.0 + part) * added, kNoise))));
  }
  return plan;
}

Plan ancestral(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config, kLeastAlphaBar));
  Grid grid = sigma_grid(config, request, table);
  grid.sigmas.push_back(0.0);
  Plan plan = scaled_plan(config, grid, 1);
  for (std::size_t i = 0; i < grid.timesteps.size(); ++i) {
    const auto [down, up] = ancestral_split(grid.sigmas[i], grid.sigmas[i + 1]);
    Call call = scaled_call(grid, i);
    call.draws = true;
    call.data = data_of_scaled(config, grid.sigmas[i]);
    const double kept = down / grid.sigmas[i];
    plan.calls.push_back(std::move(
        call.let(kState, Sum().add(kept, kState).add(1.0 - kept, kAnswer).add(up, kNoise))));
  }
  return plan;
}

}  // namespace

const Family kEuler{"EulerDiscreteScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "prediction_type": "epsilon", "interpolation_type": "linear",
  "use_karras_sigmas": false, "use_exponential_sigmas": false, "use_beta_sigmas": false,
  "sigma_min": null, "sigma_max": null, "timestep_spacing": "linspace",
  "timestep_type": "discrete", "steps_offset": 0, "rescale_betas_zero_snr": false,
  "final_sigmas_type": "zero"})",
                    lay, Spacing::scaled, [](const Config&, const Request&) -> std::string {
                      return R"({"component": "process.solver.euler"})";
                    }};

const Family kEulerAncestral{"EulerAncestralDiscreteScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "prediction_type": "epsilon", "timestep_spacing": "linspace",
  "steps_offset": 0, "rescale_betas_zero_snr": false})",
                             ancestral, Spacing::scaled,
                             [](const Config&, const Request&) -> std::string {
                               return R"({"component": "process.solver.euler_ancestral"})";
                             }};

}  // namespace gradatim::process::diffusers
