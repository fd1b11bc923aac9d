#include "gradatim/process/diffusers/exponential.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace gradatim::process::diffusers {

Point point_of(double sigma, bool flow) {
  Point point;
  point.alpha = flow ? 1.0 - sigma : 1.0 / std::sqrt(sigma * sigma + 1.0);
  point.sigma = flow ? sigma : sigma * point.alpha;
  point.lambda = std::log(point.alpha) - std::log(point.sigma);
  return point;
}

std::vector<Point> points_of(const Config& config, std::span<const double> sigmas) {
  std::vector<Point> points;
  for (const double sigma : sigmas) points.push_back(point_of(sigma, config.on("use_flow_sigmas")));
  return points;
}

bool stochastic(std::string_view algorithm) { return algorithm.starts_with("sde"); }
bool of_data(std::string_view algorithm) { return algorithm.ends_with("++"); }

Weights weights(std::string_view algorithm, const Point& a, const Point& b) {
  const bool noisy = stochastic(algorithm);
  const double h = b.lambda - a.lambda;
  Weights w;
  if (of_data(algorithm)) {
    const double z = noisy ? -2.0 * h : -h;
    const double phi = std::expm1(z);
    w.carried = b.sigma / a.sigma * (noisy ? std::exp(-h) : 1.0);
    w.value = -b.alpha * phi;
    w.slope = b.alpha * (1.0 - phi / z);
    w.bend = -b.alpha * ((phi - z) / (z * z) - 0.5);
    if (noisy) w.noise = b.sigma * std::sqrt(-phi);
  } else {
    const double factor = noisy ? -2.0 : -1.0;
    const double phi = std::expm1(h);
    w.carried = b.alpha / a.alpha;
    w.value = factor * b.sigma * phi;
    w.slope = factor * b.sigma * (phi / h - 1.0);
    w.bend = factor * b.sigma * ((phi - h) / (h * h) - 0.5);
    if (noisy) w.noise = b.sigma * std::sqrt(std::expm1(2.0 * h));
  }
  w.half = 0.5 * w.value;
  return w;
}

Differences differences(const Point& to, std::span<const Point> at, std::span<const Sum> values) {
  const double h = to.lambda - at[0].lambda;
  const double r0 = (at[0].lambda - at[1].lambda) / h;
  Differences d;
  d.first.add(1.0 / r0, values[0]).add(-1.0 / r0, values[1]);
  if (at.size() < 3) return d;
  const double r1 = (at[1].lambda - at[2].lambda) / h;
  Sum change = d.first;
  change.add(-1.0 / r1, values[1]).add(1.0 / r1, values[2]);
  d.first.add(r0 / (r0 + r1), change);
  d.second.add(1.0 / (r0 + r1), change);
  return d;
}

std::string algorithm(const Config& config) {
  const auto name = config.word("algorithm_type");
  return name == "deis" ? "dpmsolver++" : name;
}

bool midpoint(const Config& config) { return !config.is("solver_type", "heun"); }

Call exponential_call(const Config& config, double timestep, const Point& point) {
  Call call{.timestep = timestep, .level = {point.alpha, point.sigma}};
  call.data = data_of(config, call.level);
  treat(config, call);
  return call;
}

Sum value_of(bool data, const Point& point) {
  return data ? Sum().add(1.0, kAnswer) : noise_of({point.alpha, point.sigma});
}

Plan exponential_plan(const Config&, const Grid& grid, std::span<const Point> points,
                      std::size_t begin, int slots) {
  Plan plan{.timesteps = grid.timesteps, .sigmas = grid.sigmas, .slots = slots};
  for (std::size_t i = 0; i < std::min(begin, grid.timesteps.size()); ++i) {
    plan.calls.push_back(
        {.timestep = grid.timesteps[i], .level = {points[i].alpha, points[i].sigma}});
  }
  return plan;
}

void lay_multistep(const Config& config, std::span<const Point> points, std::size_t begin,
                   Plan& plan, Call (*call_at)(const Config&, double, const Point&)) {
  const auto name = algorithm(config);
  const auto order = static_cast<std::size_t>(config.integer("solver_order"));
  const std::size_t count = plan.timesteps.size();
  const bool lower = config.flag("lower_order_final") && count < 15;
  const bool euler_last =
      config.flag("euler_at_final") || lower || config.is("final_sigmas_type", "zero");
  const auto slot = [](std::size_t i) { return 1 + static_cast<int>(i % 3); };
  for (std::size_t i = begin; i < count; ++i) {
    Call call = call_at(config, plan.timesteps[i], points[i]);
    call.draws = stochastic(name);
    std::size_t use = std::min(order, i - begin + 1);
    if (i + 1 == count && euler_last) use = 1;
    if (i + 2 == count && lower) use = std::min<std::size_t>(use, 2);
    const Weights w = weights(name, points[i], points[i + 1]);
    const Sum newest = value_of(of_data(name), points[i]);
    Sum next = Sum().add(w.carried, kState).add(w.value, newest).add(w.noise, kNoise);
    if (use > 1) {
      std::vector<Sum> values{newest};
      std::vector<Point> at{points[i]};
      for (std::size_t k = 1; k < use; ++k) {
        values.push_back(Sum().add(1.0, slot(i - k)));
        at.push_back(points[i - k]);
      }
      const Differences d = differences(points[i + 1], at, values);
      next.add(use == 2 && midpoint(config) ? w.half : w.slope, d.first);
      if (use == 3) next.add(w.bend, d.second);
    }
    call.let(kState, std::move(next)).let(slot(i), newest);
    plan.calls.push_back(std::move(call));
  }
}

std::string dpm_solver(const Config& config, const Request&) {
  const int order = config.integer("solver_order");
  std::string_view name = order == 1   ? "ddim"
                          : order == 2 ? "dpm_solver_pp_2m"
                                       : "dpm_solver_pp_3m";
  if (stochastic(algorithm(config))) name = order == 1 ? "ddpm" : "dpm_solver_pp_sde";
  return fmt::format(R"({{"component": "process.solver.{}"}})", name);
}

std::string dpm_solver_singlestep(const Config& config, const Request& request) {
  if (config.integer("solver_order") == 1 || stochastic(algorithm(config))) {
    return dpm_solver(config, request);
  }
  return R"({"component": "process.solver.dpm_solver_pp_2s"})";
}

}  // namespace gradatim::process::diffusers
