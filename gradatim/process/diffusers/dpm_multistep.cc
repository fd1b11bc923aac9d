// DPM-Solver and DPM-Solver++, multistep, deterministic and stochastic (Lu et al. 2022).
#include "gradatim/process/diffusers/exponential.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

Plan lay(const Config& config, const Request& request) {
  const bool zero = config.is("final_sigmas_type", "zero");
  if (zero && !of_data(algorithm(config))) {
    refuse(config, "algorithm_type '" + algorithm(config) + "' with final_sigmas_type 'zero'");
  }
  const auto table = sigmas(alpha_bars(config, kLeastAlphaBar));
  Grid grid = multistep_grid(config, request, table, false);
  grid.sigmas.push_back(zero ? 0.0 : table.front());
  const auto points = points_of(config, grid.sigmas);
  Plan plan = exponential_plan(config, grid, points, request.begin, 4);
  lay_multistep(config, points, request.begin, plan, exponential_call);
  return plan;
}

}  // namespace

const Family kDpmMultistep{"DPMSolverMultistepScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "solver_order": 2, "prediction_type": "epsilon", "thresholding": false,
  "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "algorithm_type": "dpmsolver++",
  "solver_type": "midpoint", "lower_order_final": true, "euler_at_final": false,
  "use_karras_sigmas": false, "use_exponential_sigmas": false, "use_beta_sigmas": false,
  "use_lu_lambdas": false, "use_flow_sigmas": false, "flow_shift": 1.0,
  "final_sigmas_type": "zero", "lambda_min_clipped": -Infinity, "variance_type": null,
  "timestep_spacing": "linspace", "steps_offset": 0, "rescale_betas_zero_snr": false,
  "use_dynamic_shifting": false, "time_shift_type": "exponential"})",
                           lay, Spacing::multistep, dpm_solver};

}  // namespace gradatim::process::diffusers
