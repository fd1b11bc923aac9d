// Flow matching (Lipman et al. 2023; Esser et al. 2024): x = (1 - sigma) data + sigma noise, the
// output is the velocity. Euler's steps and Heun's.
#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

constexpr int kStart = 1, kSlope = 2;

// Levels from the shifted largest to the shifted smallest of training, shifted once more: the peer
// shifts twice.
std::vector<double> levels_of(const Config& config, int count, bool shifts) {
  const double trained = config.number("num_train_timesteps");
  const double shift = shifts ? config.number("shift") : 1.0;
  return linspace(shifted(1.0, shift), shifted(1.0 / trained, shift), count);
}

Call call_at(double timestep, double sigma) {
  Call call{.timestep = timestep, .level = {1.0 - sigma, sigma}};
  call.data.add(1.0, kState).add(-sigma, kOutput);
  return call;
}

Plan euler(const Config& config, const Request& request) {
  const double trained = config.number("num_train_timesteps");
  const bool dynamic = config.flag("use_dynamic_shifting");
  if (dynamic && !request.mu) {
    throw UsageError(1123,
                     "use_dynamic_shifting needs mu, which grows with the size of the sample");
  }
  Plan plan;
  std::vector<double> levels = request.sigmas;
  if (levels.empty() && !request.timesteps.empty()) {
    for (const double t : request.timesteps) levels.push_back(t / trained);
  }
  if (levels.empty()) levels = levels_of(config, steps(request, 1 << 20), !dynamic);
  for (double& level : levels) {
    level = dynamic ? shifted_by(level, *request.mu, config.is("time_shift_type", "exponential"))
                    : shifted(level, config.number("shift"));
  }
  stretch(levels, config.maybe("shift_terminal"));
  if (const auto by = rule(config)) {
    levels = ruled(*by, levels.front(), levels.back(), static_cast<int>(levels.size()));
  }
  const bool inverted = config.flag("invert_sigmas");
  for (double& level : levels) {
    if (inverted) level = 1.0 - level;
    plan.timesteps.push_back(level * trained);
  }
  if (!request.timesteps.empty() && !inverted) plan.timesteps = request.timesteps;
  plan.sigmas = levels;
  plan.sigmas.push_back(inverted ? 1.0 : 0.0);
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double next = plan.sigmas[i + 1];
    Call call = call_at(plan.timesteps[i], levels[i]);
    if (config.flag("stochastic_sampling")) {
      call.draws = true;
      call.let(kState, Sum().add(1.0 - next, kAnswer).add(next, kNoise));
    } else {
      call.let(kState, Sum().add(1.0, kState).add(next - levels[i], kOutput));
    }
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

Plan heun(const Config& config, const Request& request) {
  const double trained = config.number("num_train_timesteps");
  auto levels = levels_of(config, steps(request, 1 << 20), true);
  for (double& level : levels) level = shifted(level, config.number("shift"));
  Plan plan{.order = 2, .slots = 3};
  for (std::size_t i = 0; i < levels.size(); ++i) {
    for (int k = i == 0 ? 1 : 0; k < 2; ++k) {
      plan.timesteps.push_back(levels[i] * trained);
      plan.sigmas.push_back(levels[i]);
    }
  }
  plan.sigmas.push_back(0.0);
  bool first = true;
  for (std::size_t i = 0; i < plan.timesteps.size(); ++i) {
    Call call = call_at(plan.timesteps[i], plan.sigmas[i]);
    if (i >= request.begin) {
      const double step = plan.sigmas[first ? i + 1 : i] - plan.sigmas[first ? i : i - 1];
      const Sum slope = Sum().add(1.0, kOutput);
      if (first) {
        call.let(kState, Sum().add(1.0, kState).add(step, slope));
        call.let(kStart, Sum().add(1.0, kState)).let(kSlope, slope);
      } else {
        call.let(kState, Sum().add(1.0, kStart).add(0.5 * step, kSlope).add(0.5 * step, slope));
      }
      first = !first;
    }
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

}  // namespace

const Family kFlowEuler{"FlowMatchEulerDiscreteScheduler", R"({
  "num_train_timesteps": 1000, "shift": 1.0, "use_dynamic_shifting": false, "base_shift": 0.5,
  "max_shift": 1.15, "base_image_seq_len": 256, "max_image_seq_len": 4096,
  "invert_sigmas": false, "shift_terminal": null, "use_karras_sigmas": false,
  "use_exponential_sigmas": false, "use_beta_sigmas": false, "time_shift_type": "exponential",
  "stochastic_sampling": false})",
                        euler, Spacing::flow};

const Family kFlowHeun{"FlowMatchHeunDiscreteScheduler",
                       R"({"num_train_timesteps": 1000, "shift": 1.0})", heun, Spacing::flow,
                       [](const Config&, const Request&) -> std::string {
                         return R"({"component": "process.solver.heun"})";
                       }};

}  // namespace gradatim::process::diffusers
