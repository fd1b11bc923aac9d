// DEIS in rho = sigma / alpha (Zhang and Chen 2023): noise of the last steps continued by a
// polynomial in ln rho, integrated exactly.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/process/diffusers/exponential.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

// The integral of Lagrange's polynomial in ln rho of node j from the first node to `end`.
double weight(std::span<const double> rho, std::size_t j, double end) {
  std::vector<double> other;
  double scale = 1.0;
  for (std::size_t k = 0; k < rho.size(); ++k) {
    if (k == j) continue;
    other.push_back(std::log(rho[k]));
    scale /= std::log(rho[j]) - other.back();
  }
  // Antiderivatives of 1, l - a and (l - a)(l - b) with l = ln r.
  const auto primitive = [&](double r) {
    const double l = std::log(r);
    if (other.empty()) return r;
    if (other.size() == 1) return r * (l - 1.0 - other[0]);
    return r * (l * l - 2.0 * l + 2.0 - (other[0] + other[1]) * (l - 1.0) + other[0] * other[1]);
  };
  return scale * (primitive(end) - primitive(rho[0]));
}

Plan lay(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config));
  Grid grid = multistep_grid(config, request, table, true);
  const bool repeats = rule(config) || config.on("use_flow_sigmas");
  grid.sigmas.push_back(repeats ? grid.sigmas.back() : table.front());
  const auto points = points_of(config, grid.sigmas);
  const std::size_t begin = request.begin;
  const std::size_t count = grid.timesteps.size();
  const auto most = static_cast<std::size_t>(config.integer("solver_order"));
  const bool lower = config.flag("lower_order_final") && count < 15;
  Plan plan = exponential_plan(config, grid, points, begin, 4);
  const auto slot = [](std::size_t i) { return 1 + static_cast<int>(i % 3); };
  for (std::size_t i = begin; i < count; ++i) {
    Call call = exponential_call(config, grid.timesteps[i], points[i]);
    const Sum newest = value_of(false, points[i]);
    std::size_t order = std::min(most, i - begin + 1);
    if (lower) order = std::min(order, count - i);
    std::vector<double> rho;
    for (std::size_t k = 0; k < order; ++k) {
      rho.push_back(points[i - k].sigma / points[i - k].alpha);
    }
    const Point& to = points[i + 1];
    Sum next = Sum().add(to.alpha / points[i].alpha, kState);
    for (std::size_t k = 0; k < order; ++k) {
      const double w = to.alpha * weight(rho, k, to.sigma / to.alpha);
      k == 0 ? next.add(w, newest) : next.add(w, slot(i - k));
    }
    call.let(kState, std::move(next)).let(slot(i), newest);
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

}  // namespace

const Family kDeis{"DEISMultistepScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "solver_order": 2, "prediction_type": "epsilon", "thresholding": false,
  "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "algorithm_type": "deis",
  "solver_type": "logrho", "lower_order_final": true, "use_karras_sigmas": false,
  "use_exponential_sigmas": false, "use_beta_sigmas": false, "use_flow_sigmas": false,
  "flow_shift": 1.0, "timestep_spacing": "linspace", "steps_offset": 0,
  "use_dynamic_shifting": false, "time_shift_type": "exponential"})",
                   lay, Spacing::multistep, [](const Config& config, const Request&) {
                     return fmt::format(R"({{"component": "process.solver.deis", "order": {}}})",
                                        config.integer("solver_order"));
                   }};

}  // namespace gradatim::process::diffusers
