// EDM's classes (Karras et al. 2022): networks preconditioned in sigma, which is told as
// ln(sigma) / 4; Euler's steps, and DPM-Solver++ with alpha = 1.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradatim/process/diffusers/exponential.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

Grid grid_of(const Config& config, const Request& request) {
  const int count = steps(request, 1 << 20);
  const double largest = config.number("sigma_max"), smallest = config.number("sigma_min");
  Grid grid;
  grid.sigmas = config.is("sigma_schedule", "karras")
                    ? ruled(Rule::karras, largest, smallest, count, config.number("rho"))
                    : ruled(Rule::exponential, largest, smallest, count);
  for (const double sigma : grid.sigmas) grid.timesteps.push_back(0.25 * std::log(sigma));
  grid.sigmas.push_back(config.is("final_sigmas_type", "zero") ? 0.0 : grid.sigmas.back());
  return grid;
}

Call call_at(const Config& config, double timestep, const Point& point) {
  const double scale = config.number("sigma_data");
  const double variance = point.sigma * point.sigma + scale * scale;
  const bool noise = config.is("prediction_type", "epsilon");
  if (!noise && !config.is("prediction_type", "v_prediction")) {
    refuse(config, "this prediction_type");
  }
  Call call{
      .timestep = timestep, .input_scale = 1.0 / std::sqrt(variance), .level = {1.0, point.sigma}};
  call.data.add(scale * scale / variance, kState)
      .add((noise ? 1.0 : -1.0) * point.sigma * scale / std::sqrt(variance), kOutput);
  treat(config, call);
  return call;
}

Plan begun(const Config& config, const Grid& grid) {
  return {.timesteps = grid.timesteps,
          .sigmas = grid.sigmas,
          .init_noise_sigma = std::hypot(config.number("sigma_max"), 1.0)};
}

Plan euler(const Config& config, const Request& request) {
  const Grid grid = grid_of(config, request);
  Plan plan = begun(config, grid);
  const auto count = grid.timesteps.size();
  for (std::size_t i = 0; i < count; ++i) {
    const double sigma = grid.sigmas[i];
    const bool churns = sigma >= request.churn_from && sigma <= request.churn_to;
    const double gamma =
        churns ? std::min(request.churn / static_cast<double>(count), std::numbers::sqrt2 - 1.0)
               : 0.0;
    const double raised = sigma * (1.0 + gamma);
    const double added = request.noise_scale * std::sqrt(raised * raised - sigma * sigma);
    Call call = call_at(config, grid.timesteps[i], {1.0, raised, 0.0});
    call.input_scale = 1.0 / std::hypot(sigma, config.number("sigma_data"));
    call.level.sigma = sigma;
    call.draws = gamma > 0.0;
    call.data.add(call.data.parts[0].c * added, kNoise);
    const double part = (grid.sigmas[i + 1] - raised) / raised;
    call.let(kState,
             Sum().add(1.0 + part, kState).add(-part, kAnswer).add((1.0 + part) * added, kNoise));
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

Plan multistep(const Config& config, const Request& request) {
  const Grid grid = grid_of(config, request);
  Plan plan = begun(config, grid);
  plan.slots = 4;
  std::vector<Point> points;
  for (const double sigma : grid.sigmas) points.push_back({1.0, sigma, -std::log(sigma)});
  for (std::size_t i = 0; i < std::min(request.begin, grid.timesteps.size()); ++i) {
    plan.calls.push_back(call_at(config, grid.timesteps[i], points[i]));
  }
  lay_multistep(config, points, request.begin, plan, call_at);
  return plan;
}

}  // namespace

const Family kEdmEuler{"EDMEulerScheduler", R"({
  "sigma_min": 0.002, "sigma_max": 80.0, "sigma_data": 0.5, "sigma_schedule": "karras",
  "num_train_timesteps": 1000, "prediction_type": "epsilon", "rho": 7.0,
  "final_sigmas_type": "zero"})",
                       euler, Spacing::edm, [](const Config&, const Request&) -> std::string {
                         return R"({"component": "process.solver.euler"})";
                       }};

const Family kEdmMultistep{"EDMDPMSolverMultistepScheduler", R"({
  "sigma_min": 0.002, "sigma_max": 80.0, "sigma_data": 0.5, "sigma_schedule": "karras",
  "num_train_timesteps": 1000, "prediction_type": "epsilon", "rho": 7.0, "solver_order": 2,
  "thresholding": false, "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0,
  "algorithm_type": "dpmsolver++", "solver_type": "midpoint", "lower_order_final": true,
  "euler_at_final": false, "final_sigmas_type": "zero"})",
                           multistep, Spacing::edm, dpm_solver};

}  // namespace gradatim::process::diffusers
