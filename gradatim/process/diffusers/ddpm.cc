// DDPM (Ho, Jain and Abbeel 2020): the posterior q(x_s | x_t, D) from one timestep to the next.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

// The deviation of the noise; the variance is not let below 1e-20.
double deviation(const Config& config, double posterior, double beta) {
  const auto type = config.word("variance_type");
  const double small = std::max(posterior, 1e-20);
  if (type == "fixed_small" || type == "fixed_small_log") return std::sqrt(small);
  if (type == "fixed_large") return std::sqrt(beta);
  if (type == "fixed_large_log") return std::sqrt(std::log(beta));  // the peer's: not a number
  throw UsageError(1126,
                   fmt::format("{} with variance_type '{}', whose networks put out the variance "
                               "itself, is for mode='correct' alone, which draws by "
                               "fixed_small",
                               config.family().name, type));
}

// The noise; where the model says the variance's logarithm between these two, it begins half-way.
void add_noise(const Config& config, double posterior, double beta, Sum& next) {
  if (config.word("variance_type") != "learned_range") {
    next.add(deviation(config, posterior, beta), kNoise);
    return;
  }
  const double small = std::sqrt(std::max(posterior, 1e-20)), large = std::sqrt(beta);
  next.add(std::sqrt(small * large), kNoise);
  next.spread = 0.5 * std::log(large / small);
}

Call step(const Config& config, double t, double from, double to) {
  const Level a{std::sqrt(from), std::sqrt(1.0 - from)};
  Call call{.timestep = t, .level = a, .data = data_of(config, a)};
  treat(config, call);
  const double alpha = from / to;  // of this step alone
  const double beta = 1.0 - alpha;
  Sum next = Sum()
                 .add(std::sqrt(to) * beta / (1.0 - from), kAnswer)
                 .add(std::sqrt(alpha) * (1.0 - to) / (1.0 - from), kState);
  if (t > 0.0) {
    add_noise(config, (1.0 - to) / (1.0 - from) * beta, beta, next);
    call.draws = true;
  }
  return call.let(kState, std::move(next));
}

Plan lay(const Config& config, const Request& request) {
  const auto table = alpha_bars(config);
  Request asked = request;
  // Without set_timesteps, all of training's.
  const bool all = !request.steps && request.timesteps.empty();
  if (all) asked.steps = static_cast<int>(table.size());
  Plan plan{.by_time = true};
  plan.timesteps =
      whole_timesteps(all ? config.with_word("timestep_spacing", "leading") : config, asked);
  for (std::size_t i = 0; i < plan.timesteps.size(); ++i) {
    const double t = plan.timesteps[i];
    const double to = i + 1 < plan.timesteps.size() ? entry_of(table, plan.timesteps[i + 1]) : 1.0;
    plan.calls.push_back(step(config, t, entry_of(table, t), to));
  }
  return plan;
}

}  // namespace

const Family kDdpm{"DDPMScheduler", R"({
  "num_train_timesteps": 1000, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
  "trained_betas": null, "variance_type": "fixed_small", "clip_sample": true,
  "prediction_type": "epsilon", "thresholding": false, "dynamic_thresholding_ratio": 0.995,
  "clip_sample_range": 1.0, "sample_max_value": 1.0, "timestep_spacing": "leading",
  "steps_offset": 0, "rescale_betas_zero_snr": false})",
                   lay, Spacing::whole, [](const Config& config, const Request&) -> std::string {
                     if (config.is("variance_type", "learned_range")) {
                       return R"({"component": "process.solver.ddpm", "variance": "learned"})";
                     }
                     return R"({"component": "process.solver.ddim", "eta": 1.0})";
                   }};

}  // namespace gradatim::process::diffusers
