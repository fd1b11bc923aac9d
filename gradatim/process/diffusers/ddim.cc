// DDIM and its inversion (Song, Meng and Ermon 2021), equation 12.
//
// The peer steps to t - T // N, which need not be the next timestep of its own grid, and keeps the
// unclipped noise beside the clipped data.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

// The noise that the raw output stands for.
Sum raw_noise(const Config& config, Level level) {
  const auto type = config.word("prediction_type");
  if (type == "epsilon") return Sum().add(1.0, kOutput);
  if (type == "sample") {
    return noise_of(level, kState, kOutput);
  }
  return Sum().add(level.sigma, kState).add(level.alpha, kOutput);
}

Call step(const Config& config, double timestep, double from, double to, double eta) {
  const Level a{std::sqrt(from), std::sqrt(1.0 - from)};
  Call call{.timestep = timestep, .level = a, .data = data_of(config, a)};
  treat(config, call);
  const double deviation =
      eta == 0.0 ? 0.0 : eta * std::sqrt((1.0 - to) / (1.0 - from) * (1.0 - from / to));
  Sum next = Sum().add(std::sqrt(to), kAnswer);
  next.add(std::sqrt(1.0 - to - deviation * deviation), raw_noise(config, a));
  next.add(deviation, kNoise);
  call.draws = eta > 0.0;
  return call.let(kState, std::move(next));
}

Plan forward(const Config& config, const Request& request) {
  const auto table = alpha_bars(config);
  Plan plan{.timesteps = whole_timesteps(config, request), .by_time = true};
  const auto last = static_cast<int>(table.size());
  const int count = static_cast<int>(plan.timesteps.size());
  const double ratio = last / (request.timesteps.empty() ? *request.steps : count);
  const double clean = config.flag("set_alpha_to_one") ? 1.0 : table.front();
  for (const double t : plan.timesteps) {
    const double before = t - ratio;
    const double to = before >= 0.0 ? table[static_cast<std::size_t>(before)] : clean;
    plan.calls.push_back(step(config, t, entry_of(table, t), to, request.eta.value_or(0.0)));
  }
  return plan;
}

Plan inverse(const Config& config, const Request& request) {
  const auto table = alpha_bars(config);
  if (config.is("timestep_spacing", "linspace")) refuse(config, "timestep_spacing 'linspace'");
  Plan plan{.timesteps = whole_timesteps(config, request), .by_time = true};
  std::ranges::reverse(plan.timesteps);
  const auto last = static_cast<double>(table.size());
  const double ratio = std::floor(last / static_cast<double>(plan.timesteps.size()));
  const double clean = config.flag("set_alpha_to_one") ? 1.0 : table.front();
  for (const double t : plan.timesteps) {
    const double before = std::min(t - ratio, last - 1.0);
    const double from = before >= 0.0 ? table[static_cast<std::size_t>(before)] : clean;
    plan.calls.push_back(step(config, t, from, entry_of(table, t), 0.0));
  }
  return plan;
}

}  // namespace

const Family kDdim{"DDIMScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "clip_sample": true, "set_alpha_to_one": true, "steps_offset": 0,
  "prediction_type": "epsilon", "thresholding": false, "dynamic_thresholding_ratio": 0.995,
  "clip_sample_range": 1.0, "sample_max_value": 1.0, "timestep_spacing": "leading",
  "rescale_betas_zero_snr": false})",
                   forward, Spacing::whole, [](const Config&, const Request& request) {
                     return fmt::format(R"({{"component": "process.solver.ddim", "eta": {}}})",
                                        request.eta.value_or(0.0));
                   }};

const Family kDdimInverse{"DDIMInverseScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "clip_sample": true, "set_alpha_to_one": true, "steps_offset": 0,
  "prediction_type": "epsilon", "clip_sample_range": 1.0, "timestep_spacing": "leading",
  "rescale_betas_zero_snr": false})",
                          inverse, Spacing::whole,
                          [](const Config&, const Request&) -> std::string {
                            return R"({"component": "process.solver.ddim_inverse"})";
                          }};

}  // namespace gradatim::process::diffusers
