#include "gradatim/process/diffusers/correct.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/families.h"
#include "gradatim/process/diffusers/schedule.h"
#include "gradatim/process/path/table_path.h"
#include "gradatim/process/prediction.h"
#include "gradatim/process/solver.h"

namespace gradatim::process::diffusers {
namespace {

// sigma / alpha that noise predictions are asked at instead of infinity, as the peer has it.
const double kMostRatio = std::sqrt(1.0 / kLeastAlphaBar - 1.0);

class ConfigPath final : public TablePath {
 public:
  explicit ConfigPath(const Config& config)
      : TablePath(betas(config), config.on("rescale_betas_zero_snr")) {}
};

template <class Interface>
std::shared_ptr<const Interface> made(const std::string& json) {
  return api::build_as<Interface>(api::settings_from_json(json));
}

bool edm(const Config& config) { return config.family().spacing == Spacing::edm; }
bool flows(const Config& config) {
  return config.family().spacing == Spacing::flow || config.on("use_flow_sigmas");
}

std::shared_ptr<const Path> path_of(const Config& config) {
  if (edm(config)) {
    return made<Path>(
        fmt::format(R"({{"component": "process.path.edm", "sigma_min": {}, "sigma_max": {}}})",
                    config.number("sigma_min"), config.number("sigma_max")));
  }
  if (flows(config)) return made<Path>(R"({"component": "process.path.rectified"})");
  return std::make_shared<ConfigPath>(config);
}

std::shared_ptr<const Prediction> prediction_of(const Config& config) {
  std::string name = "velocity";
  if (config.is("prediction_type", "epsilon")) name = "noise";
  if (config.is("prediction_type", "v_prediction")) name = "v";
  if (config.is("prediction_type", "sample")) name = "data";
  if (config.is("prediction_type", "original_sample")) name = "data";
  if (edm(config) && name != "data") {
    return made<Prediction>(
        fmt::format(R"({{"component": "process.prediction.edm", "data_scale": {}}})",
                    config.number("sigma_data")));
  }
  return made<Prediction>(fmt::format(R"({{"component": "process.prediction.{}"}})", name));
}

// Levels of the class, as ratios sigma / alpha or, for flows, as times.
std::vector<double> levels_of(const Config& config, const Request& request) {
  if (config.family().spacing == Spacing::edm) {
    const bool karras = config.is("sigma_schedule", "karras");
    return ruled(karras ? Rule::karras : Rule::exponential, config.number("sigma_max"),
                 config.number("sigma_min"), steps(request, 1 << 20), config.number("rho"));
  }
  if (config.family().spacing == Spacing::flow) {
    auto levels =
        linspace(1.0, 1.0 / config.number("num_train_timesteps"), steps(request, 1 << 20));
    for (double& level : levels) level = shifted(level, config.number("shift"));
    return levels;
  }
  const auto table = sigmas(alpha_bars(config, kLeastAlphaBar));
  if (config.family().spacing == Spacing::scaled) return sigma_grid(config, request, table).sigmas;
  auto levels = multistep_grid(config, request, table, true).sigmas;
  if (flows(config) && rule(config)) {
    for (double& level : levels) level /= 1.0 + level;
  }
  return levels;
}

// Falling times without the final 0, as the class spaces them, but neither rounded nor repeated.
std::vector<double> times_of(const Config& config, const Request& request, const Path& path) {
  std::vector<double> times;
  if (config.family().spacing == Spacing::whole) {
    const double trained = config.number("num_train_timesteps");
    for (const double t : whole_timesteps(config, request)) times.push_back((t + 1.0) / trained);
  } else {
    for (const double level : levels_of(config, request)) {
      times.push_back(flows(config) ? level : path.time_of(level));
    }
  }
  std::vector<double> falling;
  for (const double t : times) {
    if (t > 0.0 && t <= path.last() && (falling.empty() || t < falling.back()))
      falling.push_back(t);
  }
  GRADATIM_CHECK(!falling.empty(), UsageError, 1123, "the schedule has no timestep");
  return falling;
}

std::vector<Sum::Part> with_noise(const Sum& sum) {
  auto parts = sum.parts;
  if (sum.noise != 0.0) parts.push_back({kNoise, sum.noise});
  return parts;
}

double told(const Config& config, const Path& path, double t) {
  if (!edm(config) && flows(config)) return t * config.number("num_train_timesteps");
  const double label = path.model_time(t);
  const double whole = std::nearbyint(label);
  return std::abs(label - whole) < 1e-3 ? whole : label;
}

void add_calls(const Config& config, const Path& path, const Program& program, Plan& plan) {
  const auto prediction = prediction_of(config);
  const double sign = edm(config) && config.is("prediction_type", "v_prediction") ? -1.0 : 1.0;
  plan.slots = std::max(plan.slots, program.slots);
  for (std::size_t i = 0; i < program.stages.size(); ++i) {
    const Stage& stage = program.stages[i];
    GRADATIM_ASSERT(stage.asks);
    Call call{.timestep = told(config, path, stage.point.t),
              .input_scale = prediction->input_scale(stage.point),
              .level = {stage.point.alpha, stage.point.sigma},
              .in = stage.at,
              .out = i + 1 < program.stages.size() ? program.stages[i + 1].at : kState};
    const FromField data = prediction->data(stage.point);
    call.data.add(data.x, kState).add(sign * data.f, kOutput);
    for (Sum::Part& part : call.data.parts) {
      if (part.slot == kState) part.slot = stage.at;
    }
    treat(config, call);
    for (const Move& move : stage.moves) {
      Sum sum;
      sum.parts = with_noise(move.sum);
      sum.spread = move.sum.spread;
      call.draws |= move.sum.noise != 0.0;
      call.let(move.slot, std::move(sum));
    }
    plan.calls.push_back(std::move(call));
  }
}

// Models of few steps, and flows by Euler, have no solver to choose: they are as in compat mode.
Plan few_steps(const Config& config, Request request, std::vector<std::string>& differences) {
  if (config.family().spacing == Spacing::flow && request.sigmas.empty() &&
      request.timesteps.empty()) {
    const double trained = config.number("num_train_timesteps");
    request.sigmas = linspace(1.0, 1.0 / trained, steps(request, 1 << 20));
    request.steps.reset();
    if (config.number("shift") != 1.0) differences.emplace_back("Levels are shifted once.");
    if (config.on("use_dynamic_shifting") && !request.mu) {
      request.mu = config.number("base_shift");
      differences.emplace_back("Without mu, base_shift is taken.");
    }
  }
  if (config.on("rescale_betas_zero_snr") && config.is("prediction_type", "epsilon")) {
    differences.emplace_back(
        "rescale_betas_zero_snr is left out, since noise that is predicted where there is no "
        "signal says nothing about the data.");
    return config.family().lay(config.with_flag("rescale_betas_zero_snr", false), request);
  }
  return config.family().lay(config, request);
}

void describe(const Config& config, std::vector<std::string>& differences,
              const std::string& solver) {
  differences.push_back(fmt::format("Steps are those of {}, with their order at both ends.",
                                    api::settings_from_json(solver).component));
  const Spacing spacing = config.family().spacing;
  if (spacing == Spacing::multistep) {
    differences.emplace_back("Timesteps are neither rounded nor repeated.");
  }
  if (spacing == Spacing::scaled) {
    differences.emplace_back(
        "Samples are alpha data + sigma noise with alpha^2 + sigma^2 = 1, so init_noise_sigma is 1 "
        "at most and scale_model_input changes nothing.");
  }
  if (spacing == Spacing::whole && !config.is("timestep_spacing", "leading")) {
    differences.emplace_back("A step goes to the next timestep of the grid, not to t - T // N.");
  }
  if (!config.is("final_sigmas_type", "zero")) {
    differences.emplace_back("The last step ends at exact data.");
  }
}

}  // namespace

Plan lay_correct(const Config& config, const Request& request,
                 std::vector<std::string>& differences) {
  differences.clear();
  if (config.family().solver == nullptr) return few_steps(config, request, differences);
  Request asked = request;
  if (!asked.steps && asked.timesteps.empty() && asked.sigmas.empty() &&
      config.family().name == "DDPMScheduler") {
    asked.steps = config.integer("num_train_timesteps");  // DDPM without set_timesteps
  }
  const auto path = path_of(config);
  auto times = times_of(config, asked, *path);
  const auto text = config.family().solver(config, request);
  describe(config, differences, text);
  if (config.is("prediction_type", "epsilon") && path->at(times[0]).alpha == 0.0) {
    times[0] = flows(config) ? kMostRatio / (1.0 + kMostRatio) : path->time_of(kMostRatio);
    differences.emplace_back(
        "The first timestep keeps a little signal, since predicted noise says nothing without.");
  }
  const auto solver = made<Solver>(text);
  const bool rises = api::settings_from_json(text).component == "process.solver.ddim_inverse";
  if (!rises) {
    times.push_back(0.0);
  } else {
    std::ranges::reverse(times);
    if (times.size() == 1) times.insert(times.begin(), path->first());
    differences.emplace_back("The network is asked where a step begins, not where it ends.");
  }
  const Program whole = *solver->program(*path, times);
  Plan plan{.init_noise_sigma = path->at(times.front()).sigma,
            .order = static_cast<int>(whole.evaluations() > whole.steps() + 1 ? 2 : 1)};
  add_calls(config, *path, whole, plan);
  for (const Call& call : plan.calls) {
    plan.timesteps.push_back(call.timestep);
    plan.sigmas.push_back(call.level.sigma / call.level.alpha);
  }
  plan.sigmas.push_back(0.0);
  if (request.begin == 0 || request.begin >= plan.calls.size()) return plan;
  // A sampling that begins later has no history before.
  std::size_t step = 0;
  for (std::size_t i = 0; i < request.begin; ++i) step += whole.stages[i].ends_step ? 1 : 0;
  plan.calls.resize(request.begin);
  const std::span<const double> rest = std::span<const double>(times).subspan(step);
  add_calls(config, *path, *solver->program(*path, rest), plan);
  return plan;
}

}  // namespace gradatim::process::diffusers
