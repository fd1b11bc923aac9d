#include "gradatim/process/diffusers/config.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/process/diffusers/families.h"

namespace gradatim::process::diffusers {
namespace {

using Json = nlohmann::json;

enum class Kind { flag, whole, number, word, numbers };

/// A field: what its value may be.
struct Field {
  std::string_view name;
  Kind kind;
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  std::string_view choices = {};
};

constexpr Field kFields[] = {
    {"algorithm_type", Kind::word, 0, 0,
     "dpmsolver dpmsolver++ sde-dpmsolver sde-dpmsolver++ deis"},
    {"base_image_seq_len", Kind::number, 1},
    {"base_shift", Kind::number},
    {"beta_end", Kind::number, 0, 1},
    {"beta_schedule", Kind::word, 0, 0,
     "linear scaled_linear squaredcos_cap_v2 sigmoid exp laplace"},
    {"beta_start", Kind::number, 0, 1},
    {"clip_denoised", Kind::flag},
    {"clip_sample", Kind::flag},
    {"clip_sample_range", Kind::number, 0},
    {"disable_corrector", Kind::numbers, 0},
    {"dynamic_thresholding_ratio", Kind::number, 0, 1},
    {"euler_at_final", Kind::flag},
    {"final_sigmas_type", Kind::word, 0, 0, "zero sigma_min"},
    {"flow_shift", Kind::number, 1e-6},
    {"interpolation_type", Kind::word, 0, 0, "linear log_linear"},
    {"invert_sigmas", Kind::flag},
    {"lambda_min_clipped", Kind::number},
    {"lower_order_final", Kind::flag},
    {"max_image_seq_len", Kind::number, 1},
    {"max_shift", Kind::number},
    {"num_train_timesteps", Kind::whole, 1, 1e6},
    {"original_inference_steps", Kind::whole, 1, 1e6},
    {"predict_x0", Kind::flag},
    {"prediction_type", Kind::word, 0, 0,
     "epsilon sample v_prediction flow_prediction original_sample"},
    {"rescale_betas_zero_snr", Kind::flag},
    {"rho", Kind::number, 1e-6},
    {"s_noise", Kind::number, 0},
    {"sample_max_value", Kind::number, 0},
    {"set_alpha_to_one", Kind::flag},
    {"shift", Kind::number, 1e-6},
    {"shift_terminal", Kind::number, 0, 1},
    {"sigma_data", Kind::number, 1e-12},
    {"sigma_max", Kind::number, 0},
    {"sigma_min", Kind::number, 0},
    {"sigma_schedule", Kind::word, 0, 0, "karras exponential"},
    {"skip_prk_steps", Kind::flag},
    {"solver_order", Kind::whole, 1, 3},
    {"solver_type", Kind::word, 0, 0, "midpoint heun bh1 bh2 logrho"},
    {"steps_offset", Kind::whole, 0, 1e6},
    {"stochastic_sampling", Kind::flag},
    {"thresholding", Kind::flag},
    {"time_shift_type", Kind::word, 0, 0, "exponential linear"},
    {"timestep_scaling", Kind::number},
    {"timestep_spacing", Kind::word, 0, 0, "leading linspace trailing"},
    {"timestep_type", Kind::word, 0, 0, "discrete continuous"},
    {"trained_betas", Kind::numbers, 0, 1},
    {"use_beta_sigmas", Kind::flag},
    {"use_dynamic_shifting", Kind::flag},
    {"use_exponential_sigmas", Kind::flag},
    {"use_flow_sigmas", Kind::flag},
    {"use_karras_sigmas", Kind::flag},
    {"use_lu_lambdas", Kind::flag},
    {"variance_type", Kind::word, 0, 0,
     "fixed_small fixed_small_log fixed_large fixed_large_log learned learned_range"},
};

const Field* field_of(std::string_view name) {
  const auto* found =
      std::ranges::find_if(kFields, [&](const Field& field) { return field.name == name; });
  return found == std::end(kFields) ? nullptr : found;
}

bool listed(std::string_view choices, const std::string& word) {
  const auto words = split(choices, ' ');
  return std::ranges::find(words, word) != words.end();
}

bool within(const Field& field, double value) {
  return !std::isnan(value) && value >= field.least && value <= field.most;
}

void check(const Field& field, const Json& value) {
  constexpr std::array kWords = {"true or false", "a whole number", "a number", "a text",
                                 "a list of numbers"};
  bool fits = false, possible = true;
  switch (field.kind) {
    case Kind::flag: fits = value.is_boolean(); break;
    case Kind::whole:
    case Kind::number:
      fits = value.is_number();
      possible = fits && within(field, value.get<double>()) &&
                 (field.kind == Kind::number || std::floor(value.get<double>()) == value);
      break;
    case Kind::word:
      fits = value.is_string();
      possible = fits && listed(field.choices, value.get<std::string>());
      break;
    case Kind::numbers:
      fits = value.is_array() && std::ranges::all_of(value, &Json::is_number);
      possible = fits && std::ranges::all_of(value, [&](const Json& each) {
                   return within(field, each.get<double>());
                 });
      break;
  }
  GRADATIM_CHECK(fits, UsageError, 1122, "field '{}' of the configuration must be {}, not {}",
                 field.name, kWords[static_cast<std::size_t>(field.kind)], value.dump());
  if (possible) return;
  if (field.kind == Kind::word) {
    throw UsageError(
        1122, fmt::format("field '{}' of the configuration is {}; take one of {}", field.name,
                          value.dump(), fmt::join(split(field.choices, ' '), ", ")));
  }
  throw UsageError(
      1122, fmt::format("field '{}' of the configuration is {}; it must be {} in [{}, {}]",
                        field.name, value.dump(), kWords[static_cast<std::size_t>(field.kind)],
                        field.least, field.most));
}

// JSON has no infinity, but Python writes one: outside of texts, it becomes a large number.
std::string without_infinity(std::string_view text) {
  constexpr std::string_view kWord = "Infinity";
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) inside = !inside;
    if (!inside && text.substr(i, kWord.size()) == kWord) {
      out += "1e308";
      i += kWord.size() - 1;
    } else {
      out += text[i];
    }
  }
  return out;
}

const Family& family_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Family* family : families()) {
    if (family->name == name) return *family;
    names.emplace_back(family->name);
  }
  const auto near = nearest_name(name, names);
  throw UsageError(1121, fmt::format("scheduler class '{}' is not known; {}", name,
                                     near ? fmt::format("did you mean '{}'?", *near)
                                          : fmt::format("known are {}", fmt::join(names, ", "))));
}

}  // namespace

struct Config::Fields {
  Json json;
  const Json& at(std::string_view name) const { return json.at(std::string(name)); }
};

Config Config::parse(std::string_view text) {
  const Json given = Json::parse(without_infinity(text), nullptr, false);
  GRADATIM_CHECK(given.is_object(), UsageError, 1120,
                 "the scheduler configuration is not a JSON object, such as a "
                 "scheduler_config.json of diffusers");
  GRADATIM_CHECK(given.contains("_class_name") && given["_class_name"].is_string(), UsageError,
                 1120, "the scheduler configuration has no '_class_name', such as DDIMScheduler");
  Config config;
  config.family_ = &family_named(given["_class_name"].get<std::string>());
  Json fields = Json::parse(without_infinity(config.family_->defaults));
  for (const auto& [name, value] : given.items()) {
    if (value.is_null() || !fields.contains(name)) continue;
    const Field* field = field_of(name);
    if (field == nullptr) continue;
    check(*field, value);
    fields[name] = value;
  }
  config.fields_ = std::make_shared<const Fields>(Fields{std::move(fields)});
  return config;
}

bool Config::flag(std::string_view name) const { return fields_->at(name).get<bool>(); }
int Config::integer(std::string_view name) const {
  return static_cast<int>(fields_->at(name).get<double>());
}
double Config::number(std::string_view name) const { return fields_->at(name).get<double>(); }
std::string Config::word(std::string_view name) const {
  return fields_->at(name).get<std::string>();
}
bool Config::has(std::string_view name) const {
  const auto found = fields_->json.find(name);
  return found != fields_->json.end() && !found->is_null();
}
std::optional<double> Config::maybe(std::string_view name) const {
  return has(name) ? std::optional(number(name)) : std::nullopt;
}
std::vector<double> Config::numbers(std::string_view name) const {
  return fields_->at(name).get<std::vector<double>>();
}
bool Config::is(std::string_view name, std::string_view value) const {
  return has(name) && word(name) == value;
}
Config Config::with_flag(std::string_view name, bool value) const {
  Config copy = *this;
  auto fields = std::make_shared<Fields>(*fields_);
  fields->json[std::string(name)] = value;
  copy.fields_ = fields;
  return copy;
}
Config Config::with_word(std::string_view name, std::string_view value) const {
  Config copy = *this;
  auto fields = std::make_shared<Fields>(*fields_);
  fields->json[std::string(name)] = std::string(value);
  copy.fields_ = fields;
  return copy;
}

}  // namespace gradatim::process::diffusers
