// Few-step models: consistency models (Song et al. 2023), latent consistency models (Luo et al.
// 2023) and trajectory consistency distillation (Zheng et al. 2024). Each call predicts data, and
// noise is added again for the next.
#include <algorithm>
#include <cmath>

#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {
namespace {

Plan consistency(const Config& config, const Request& request) {
  const int trained = config.integer("num_train_timesteps");
  const int count = steps(request, trained);
  const double least = config.number("sigma_min"), most = config.number("sigma_max");
  const double scale = config.number("sigma_data");
  const auto table = ruled(Rule::karras, most, least, trained, config.number("rho"));
  Plan plan{.init_noise_sigma = most};
  for (int k = 0; k < count; ++k) {  // of the table, the largest first
    const double place = request.timesteps.empty()
                             ? static_cast<double>(k) * (trained / count)
                             : request.timesteps[static_cast<std::size_t>(count - 1 - k)];
    plan.sigmas.push_back(entry_of(table, place));
    plan.timesteps.push_back(250.0 * std::log(plan.sigmas.back()));
  }
  plan.sigmas.push_back(least);
  for (std::size_t i = 0; i < plan.timesteps.size(); ++i) {
    const double sigma = plan.sigmas[i];
    const double root = std::hypot(sigma, scale);
    const double above = sigma - least;
    Call call{.timestep = plan.timesteps[i], .input_scale = 1.0 / root, .level = {1.0, sigma}};
    call.data.add(scale * scale / (above * above + scale * scale), kState)
        .add(above * scale / root, kOutput);
    if (config.flag("clip_denoised")) call.treatment = Treatment::clamp;
    const double next = std::clamp(plan.sigmas[i + 1], least, most);
    call.draws = count > 1;
    call.let(kState,
             Sum()
                 .add(1.0, kAnswer)
                 .add(call.draws ? config.number("s_noise") * std::sqrt(next * next - least * least)
                                 : 0.0,
                      kNoise));
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

// A part of the timesteps that the model was distilled at.
std::vector<double> distilled(const Config& config, const Request& request) {
  if (!request.timesteps.empty()) return request.timesteps;
  const int trained = config.integer("num_train_timesteps");
  const int original = config.integer("original_inference_steps");
  const int count = steps(request, std::min(original, trained));
  std::vector<double> times;
  for (int k = 0; k < count; ++k) {
    const int place = static_cast<int>(std::floor(static_cast<double>(original) * k / count));
    times.push_back(static_cast<double>((original - place) * (trained / original) - 1));
  }
  return times;
}

Plan latent(const Config& config, const Request& request) {
  constexpr double kDataScale = 0.5;
  const auto table = alpha_bars(config);
  Plan plan{.timesteps = distilled(config, request)};
  for (std::size_t i = 0; i < plan.timesteps.size(); ++i) {
    const double t = plan.timesteps[i];
    const double from = entry_of(table, t);
    Call call{.timestep = t, .level = {std::sqrt(from), std::sqrt(1.0 - from)}};
    call.data = data_of(config, call.level);
    treat(config, call);
    const double scaled = t * config.number("timestep_scaling");
    const double root = std::hypot(scaled, kDataScale);
    const Sum denoised =
        Sum().add(kDataScale * kDataScale / (root * root), kState).add(scaled / root, kAnswer);
    if (i + 1 < plan.timesteps.size()) {
      const double to = entry_of(table, plan.timesteps[i + 1]);
      call.draws = true;
      call.let(kState, Sum().add(std::sqrt(to), denoised).add(std::sqrt(1.0 - to), kNoise));
    } else {
      call.let(kState, denoised);
    }
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

Plan trajectory(const Config& config, const Request& request) {
  const auto table = alpha_bars(config);
  const double eta = request.eta.value_or(0.3);
  Plan plan{.timesteps = distilled(config, request)};
  for (std::size_t i = 0; i < plan.timesteps.size(); ++i) {
    const bool last = i + 1 == plan.timesteps.size();
    const double t = plan.timesteps[i];
    const double next = last ? 0.0 : plan.timesteps[i + 1];
    const double from = entry_of(table, t);
    const double to = entry_of(table, next);
    const double middle = entry_of(table, std::floor((1.0 - eta) * next));
    Call call{.timestep = t, .level = {std::sqrt(from), std::sqrt(1.0 - from)}};
    call.data = data_of(config, call.level);
    Sum there = Sum().add(std::sqrt(middle), kAnswer);
    there.add(std::sqrt(1.0 - middle), noise_of(call.level));
    if (eta > 0.0 && !last) {
      call.draws = true;
      call.let(kState,
               Sum().add(std::sqrt(to / middle), there).add(std::sqrt(1.0 - to / middle), kNoise));
    } else {
      call.let(kState, there);
    }
    plan.calls.push_back(std::move(call));
  }
  return plan;
}

constexpr std::string_view kDistilled = R"({
  "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
  "beta_schedule": "scaled_linear", "trained_betas": null, "original_inference_steps": 50,
  "clip_sample": false, "clip_sample_range": 1.0, "set_alpha_to_one": true, "steps_offset": 0,
  "prediction_type": "epsilon", "thresholding": false, "dynamic_thresholding_ratio": 0.995,
  "sample_max_value": 1.0, "timestep_spacing": "leading", "timestep_scaling": 10.0,
  "rescale_betas_zero_snr": false})";

}  // namespace

const Family kConsistency{"CMStochasticIterativeScheduler", R"({
  "num_train_timesteps": 40, "sigma_min": 0.002, "sigma_max": 80.0, "sigma_data": 0.5,
  "s_noise": 1.0, "rho": 7.0, "clip_denoised": true})",
                          consistency};
const Family kLcm{"LCMScheduler", kDistilled, latent};
const Family kTcd{"TCDScheduler", kDistilled, trajectory};

}  // namespace gradatim::process::diffusers
