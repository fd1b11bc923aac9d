#include "gradatim/neural/checkpoint/diffusers_scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/process/diffusers/call.h"
#include "gradatim/process/diffusers/config.h"
#include "gradatim/process/diffusers/schedule.h"
#include "gradatim/process/path/table_path.h"

namespace gradatim::neural {
namespace {

namespace peer = process::diffusers;
using Json = nlohmann::ordered_json;

// Of flows, t times this is what networks are told, here as there.
constexpr double kFlowTimes = 1000.0;

struct Words {
  const char *ours, *theirs;
};
constexpr std::array kPredictions = {Words{"process.prediction.noise", "epsilon"},
                                     Words{"process.prediction.data", "sample"},
                                     Words{"process.prediction.v", "v_prediction"}};
// Tables of betas that both make by the same formula of a first and a last one.
constexpr std::array kSchedules = {Words{"process.path.linear", "linear"},
                                   Words{"process.path.scaled_linear", "scaled_linear"},
                                   Words{"process.path.sigmoid", "sigmoid"}};
constexpr const char* kCosine = "process.path.cosine";
constexpr double kCosineOffset = 0.008;

api::Settings settings_of(const Json& json) { return api::settings_from_json(json.dump()); }

Json path_of(const peer::Config& config) {
  const bool zero_snr = config.on("rescale_betas_zero_snr");
  if (!config.has("trained_betas")) {
    for (const auto& [ours, theirs] : kSchedules) {
      if (!config.is("beta_schedule", theirs)) continue;
      return {{"component", ours},
              {"betas", config.integer("num_train_timesteps")},
              {"beta_start", config.number("beta_start")},
              {"beta_end", config.number("beta_end")},
              {"zero_terminal_snr", zero_snr}};
    }
    if (config.is("beta_schedule", "squaredcos_cap_v2")) {
      return {{"component", kCosine},
              {"betas", config.integer("num_train_timesteps")},
              {"zero_terminal_snr", zero_snr}};
    }
  }
  return {{"component", "process.path.given"},
          {"betas", peer::betas(config)},
          {"zero_terminal_snr", zero_snr}};
}

SchedulerParts flow_parts(const peer::Config& config) {
  GRADATIM_CHECK(config.number("num_train_timesteps") == kFlowTimes, ModelError, 3068,
                 "the scheduler tells times of a flow as {} t; networks here are told {} t",
                 config.number("num_train_timesteps"), kFlowTimes);
  return {.path = settings_of({{"component", "process.path.rectified"}}),
          .prediction = settings_of({{"component", "process.prediction.velocity"}}),
          .last_time = kFlowTimes};
}

// Betas of whatever path has a table, as they are before it is rescaled.
std::vector<double> betas_of(api::Settings settings) {
  settings.values["zero_terminal_snr"] = false;
  const auto path = api::build_as<process::Path>(settings);
  const auto& table = dynamic_cast<const process::TablePath&>(*path);
  std::vector<double> betas;
  double before = 1.0;
  for (std::size_t k = 0; k < table.size(); ++k) {
    betas.push_back(1.0 - table.alpha_bar(k) / before);
    before = table.alpha_bar(k);
  }
  return betas;
}

void add_betas(const api::Settings& settings, const process::TablePath& table, Json& json) {
  const auto said = Json::parse(api::to_json(settings));
  json["num_train_timesteps"] = table.size();
  json["rescale_betas_zero_snr"] = said.at("zero_terminal_snr");
  for (const auto& [ours, theirs] : kSchedules) {
    if (settings.component != ours) continue;
    json["beta_schedule"] = theirs;
    for (const char* name : {"beta_start", "beta_end"}) json[name] = said.at(name);
    return;
  }
  if (settings.component == kCosine && said.at("offset") == kCosineOffset) {
    json["beta_schedule"] = "squaredcos_cap_v2";
    return;
  }
  json["trained_betas"] = betas_of(settings);
}

}  // namespace

SchedulerParts read_scheduler(const std::string& text) {
  const auto config = peer::Config::parse(text);
  const bool flow = config.family().spacing == peer::Spacing::flow || config.on("use_flow_sigmas");
  if (flow) return flow_parts(config);
  GRADATIM_CHECK(config.has("beta_schedule"), ModelError, 3068,
                 "{} tells networks times that no path here does; those of beta tables and of "
                 "flows are known",
                 config.family().name);
  for (const auto& [ours, theirs] : kPredictions) {
    if (!config.is("prediction_type", theirs)) continue;
    return {.path = settings_of(path_of(config)),
            .prediction = settings_of({{"component", ours}}),
            .last_time = config.number("num_train_timesteps") - 1.0,
            .learned_variance = config.is("variance_type", "learned_range")};
  }
  throw ModelError(3068,
                   "networks of beta tables say epsilon, sample or v_prediction; this "
                   "scheduler's prediction_type is another");
}

std::string scheduler_config(const SchedulerParts& parts, const process::Path& path, bool clips) {
  const std::string& name = parts.path.component;
  const std::string& says = parts.prediction.component;
  Json json{{"_class_name", "DDPMScheduler"}, {"_diffusers_version", "0.42.1"}};
  const auto* table = dynamic_cast<const process::TablePath*>(&path);
  if (table == nullptr) {
    const bool straight = name == "process.path.rectified" &&
                          says == "process.prediction.velocity" &&
                          Json::parse(api::to_json(parts.path)).value("power", 1.0) == 1.0;
    GRADATIM_CHECK(straight, ModelError, 3068,
                   "no scheduler of diffusers has {} and {} as the network does; it has tables of "
                   "betas with noise, data or v, and process.path.rectified of power 1 with "
                   "process.prediction.velocity",
                   name, says);
    json["_class_name"] = "FlowMatchEulerDiscreteScheduler";
    json["num_train_timesteps"] = static_cast<int>(kFlowTimes);
    json["shift"] = 1.0;
    return json.dump(2) + "\n";
  }
  const auto* words =
      std::ranges::find_if(kPredictions, [&](const Words& each) { return says == each.ours; });
  GRADATIM_CHECK(words != kPredictions.end(), ModelError, 3068,
                 "no scheduler of diffusers has {} on {}; it has noise, data and v", says, name);
  add_betas(parts.path, *table, json);
  json["prediction_type"] = words->theirs;
  json["variance_type"] = parts.learned_variance ? "learned_range" : "fixed_small";
  json["clip_sample"] = clips;
  return json.dump(2) + "\n";
}

}  // namespace gradatim::neural
