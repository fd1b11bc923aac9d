// UniPC (Zhao et al. 2023): a multistep predictor, and a corrector that makes the last step again
// once the output at its end is known.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gradatim/process/diffusers/exponential.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kLast = 1, kHistory = 2;
constexpr std::size_t kMost = 3;

// The rows of sum_k rho_k r_k^j = b_j, solved by elimination.
std::vector<double> solved(std::span<const double> r, std::span<const double> b) {
  const std::size_t n = r.size();
  std::array<std::array<double, kMost + 1>, kMost> rows{};
  for (std::size_t j = 0; j < n; ++j) {
    for (std::size_t k = 0; k < n; ++k) rows[j][k] = std::pow(r[k], static_cast<double>(j));
    rows[j][n] = b[j];
  }
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t j = k; j < n; ++j) {
      if (std::abs(rows[j][k]) > std::abs(rows[pivot][k])) pivot = j;
    }
    std::swap(rows[k], rows[pivot]);
    for (std::size_t j = 0; j < n; ++j) {
      if (j == k) continue;
      const double factor = rows[j][k] / rows[k][k];
      for (std::size_t c = k; c <= n; ++c) rows[j][c] -= factor * rows[k][c];
    }
  }
  std::vector<double> rho;
  for (std::size_t k = 0; k < n; ++k) rho.push_back(rows[k][n] / rows[k][k]);
  return rho;
}

// A step from points[0] to `to` by values at points[0], points[1], ... and, for the corrector, at
// `to` itself.
Sum step(const Config& config, std::span<const Point> points, const Point& to, const Sum& x,
         std::span<const Sum> values, const Sum* at_end) {
  const bool data = config.flag("predict_x0");
  const Point& from = points[0];
  const double h = to.lambda - from.lambda;
  const double z = data ? -h : h;
  const double scale = data ? -to.alpha : -to.sigma;
  const double phi = std::expm1(z);
  const double b_of_h = config.is("solver_type", "bh1") ? z : phi;
  std::vector<double> r, b;
  for (std::size_t k = 1; k < points.size(); ++k) r.push_back((points[k].lambda - from.lambda) / h);
  if (at_end != nullptr) r.push_back(1.0);
  double phi_k = phi / z - 1.0, factorial = 1.0;
  for (std::size_t j = 1; j <= r.size(); ++j) {
    b.push_back(phi_k * factorial / b_of_h);
    factorial *= static_cast<double>(j + 1);
    phi_k = phi_k / z - 1.0 / factorial;
  }
  Sum next;
  next.add(data ? to.sigma / from.sigma : to.alpha / from.alpha, x).add(scale * phi, values[0]);
  if (r.empty()) return next;
  const auto rho = r.size() == 1 ? std::vector<double>{0.5} : solved(r, b);
  for (std::size_t k = 0; k < r.size(); ++k) {
    const Sum& other = k + 1 < points.size() ? values[k + 1] : *at_end;
    const double weight = scale * b_of_h * rho[k] / r[k];
    next.add(weight, other).add(-weight, values[0]);
  }
  return next;
}

// Shifted flow levels of its own, not those of DPM-Solver's flows.
void flow(const Config& config, const Request& request, Grid& grid) {
  const int trained = config.integer("num_train_timesteps");
  const auto count = static_cast<int>(grid.timesteps.size());
  std::vector<double> levels = request.sigmas;
  if (levels.empty()) {
    levels = linspace(1.0, 1.0 / trained, count + 1);
    levels.pop_back();
  }
  if (config.flag("use_dynamic_shifting") && !request.mu) {
    refuse(config, "use_dynamic_shifting without mu");
  }
  for (double& level : levels) {
    level = config.flag("use_dynamic_shifting") ? shifted_by(level, *request.mu, true)
                                                : shifted(level, config.number("flow_shift"));
  }
  stretch(levels, config.maybe("shift_terminal"));
  if (std::abs(levels[0] - 1.0) < 1e-6) levels[0] -= 1e-6;
  grid.sigmas = levels;
  grid.timesteps.resize(levels.size());
  for (std::size_t i = 0; i < levels.size(); ++i)
    grid.timesteps[i] = std::trunc(levels[i] * trained);
}

Plan lay(const Config& config, const Request& request) {
  const auto table = sigmas(alpha_bars(config, kLeastAlphaBar));
  Request asked = request;
  if (!request.sigmas.empty()) asked.steps = static_cast<int>(request.sigmas.size());
  Grid grid = multistep_grid(config, asked, table, true);
  const bool flows = config.on("use_flow_sigmas");
  if (rule(config) && flows) {
    for (std::size_t i = 0; i < grid.sigmas.size(); ++i) {
      grid.sigmas[i] /= grid.sigmas[i] + 1.0;
      if (config.flag("use_karras_sigmas")) {
        grid.timesteps[i] = std::trunc(grid.sigmas[i] * config.integer("num_train_timesteps"));
      }
    }
  } else if (flows) {
    flow(config, request, grid);
  }
  const bool zero = config.is("final_sigmas_type", "zero");
  grid.sigmas.push_back(zero ? 0.0 : rule(config) || flows ? grid.sigmas.back() : table.front());
  const auto points = points_of(config, grid.sigmas);
  const std::size_t begin = request.begin;
  const std::size_t count = grid.timesteps.size();
  Plan plan = exponential_plan(config, grid, points, begin, kHistory + static_cast<int>(kMost));
  const auto slot = [](std::size_t i) { return kHistory + static_cast<int>(i % kMost); };
  const auto uncorrected = config.numbers("disable_corrector");
  const auto most = static_cast<std::size_t>(config.integer("solver_order"));
  std::size_t last_order = 1;
  for (std::size_t i = begin; i < count; ++i) {
    Call call = exponential_call(config, grid.timesteps[i], points[i]);
    if (!config.flag("predict_x0")) call.treatment = Treatment::none;
    const Sum newest = value_of(config.flag("predict_x0"), points[i]);
    // Values at i - 1, i - 2, ... and their points.
    const auto past = [&](std::size_t first, std::size_t how_many, std::vector<Sum> values,
                          std::vector<Point> at) {
      for (std::size_t k = 0; k < how_many; ++k) {
        values.push_back(Sum().add(1.0, slot(first - k)));
        at.push_back(points[first - k]);
      }
      return std::pair(std::move(values), std::move(at));
    };
    Sum x = Sum().add(1.0, kState);
    const bool skipped =
        i == 0 || std::ranges::find(uncorrected, static_cast<double>(i - 1)) != uncorrected.end();
    if (i > begin && !skipped) {
      const auto [values, at] = past(i - 1, last_order, {}, {});
      x = step(config, at, points[i], Sum().add(1.0, kLast), values, &newest);
    }
    std::size_t order = config.flag("lower_order_final") ? std::min(most, count - i) : most;
    order = std::min(order, i - begin + 1);
    const auto [values, at] = past(i - 1, order - 1, {newest}, {points[i]});
    call.let(kState, step(config, at, points[i + 1], x, values, nullptr));
    call.let(kLast, x).let(slot(i), newest);
    plan.calls.push_back(std::move(call));
    last_order = order;
  }
  return plan;
}

}  // namespace

const Family kUniPc{"UniPCMultistepScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "solver_order": 2, "prediction_type": "epsilon", "thresholding": false,
  "dynamic_thresholding_ratio": 0.995, "sample_max_value": 1.0, "predict_x0": true,
  "solver_type": "bh2", "lower_order_final": true, "disable_corrector": [],
  "use_karras_sigmas": false, "use_exponential_sigmas": false, "use_beta_sigmas": false,
  "use_flow_sigmas": false, "flow_shift": 1.0, "timestep_spacing": "linspace",
  "steps_offset": 0, "final_sigmas_type": "zero", "rescale_betas_zero_snr": false,
  "use_dynamic_shifting": false, "time_shift_type": "exponential", "sigma_min": null,
  "sigma_max": null, "shift_terminal": null})",
                    lay, Spacing::multistep, [](const Config& config, const Request&) {
                      return fmt::format(R"({{"component": "process.solver.uni_pc", "order": {}}})",
                                         config.integer("solver_order"));
                    }};

}  // namespace gradatim::process::diffusers
