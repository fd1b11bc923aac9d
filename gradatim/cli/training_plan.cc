#include "gradatim/cli/training_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gradatim/cli/config.h"
#include "gradatim/cli/names.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

// Whether a file that other verbs read too says this to them.
bool of_another_verb(const Command& command, const std::string& name, const std::string& text) {
  if (command.name == kSearch.name) {  // a model's file, a table to watch
    if (name == "out") return !text.ends_with(".toml");
    if (name == "valid") return !parse_number(text);
  }
  if (find_option(command, name) != nullptr) return false;
  return find_option(kTrain, name) != nullptr || find_option(kCv, name) != nullptr ||
         find_option(kSearch, name) != nullptr;
}

// A flag stands on the command line without a value; a file says true or false.
bool is_set(const OptionSpec& option, const std::string& text, const std::string& path) {
  if (!option.value.empty() || text == "true") return true;
  GRADATIM_CHECK(text == "false", UsageError, 1004, "{}: {} must be true or false; got '{}'", path,
                 option.name, text);
  return false;
}

// Options of the command line win over the file's.
Arguments with_config(Arguments arguments) {
  const std::string path = arguments.positional.front();
  arguments.positional.clear();
  std::vector<api::Option> settings;
  for (auto& [name, text] : read_config(path)) {
    if (name == "model") {
      arguments.positional = {text};
    } else if (of_another_verb(*arguments.command, name, text)) {
      continue;
    } else if (const auto* option = find_option(*arguments.command, name)) {
      if (is_set(*option, text, path)) arguments.values.try_emplace(name, text);
    } else {
      settings.emplace_back(std::move(name), std::move(text));
    }
  }
  GRADATIM_CHECK(!arguments.positional.empty(), UsageError, 1011,
                 "{} names no model; write model = \"boost.newton\", or another one", path);
  try {
    api::parse_settings(model_entry(arguments.positional.front()).text.name, settings);
  } catch (const UsageError& error) {
    // A part that the command line chooses may be what makes it right.
    if (arguments.settings.empty()) {
      throw UsageError(error.code(), fmt::format("{}: {}", path, error.message()));
    }
  }
  std::move(arguments.settings.begin(), arguments.settings.end(), std::back_inserter(settings));
  arguments.settings = std::move(settings);
  return arguments;
}

// The model has the last word on its options, unless one of ours is nearer to what was typed.
void check_spelling(const Arguments& arguments, const api::Entry& model) {
  const auto theirs = option_names_of(model);
  auto all = option_names(*arguments.command);
  const std::size_t ours = all.size();
  all.insert(all.end(), theirs.begin(), theirs.end());
  for (const auto& [name, text] : arguments.settings) {
    if (name.find('.') != std::string::npos || is_setting_name(name)) continue;
    const auto near = nearest_name(name, all);
    if (!near || std::find(all.begin(), all.begin() + ours, *near) == all.begin() + ours) continue;
    throw UsageError(1002, fmt::format("{} has no option '--{}'; did you mean '--{}'?",
                                       arguments.command->name, name, *near));
  }
}

}  // namespace

TrainingPlan plan_training(const Arguments& given) {
  TrainingPlan plan{given, {}};
  GRADATIM_CHECK(!given.positional.empty(), UsageError, 1010,
                 "{} needs a model or a file CONFIG.toml; the models are {}", given.command->name,
                 join_and(model_names()));
  if (given.positional.front().ends_with(".toml")) plan.arguments = with_config(given);
  const api::Entry& model = model_entry(plan.arguments.positional.front());
  check_spelling(plan.arguments, model);
  plan.settings = api::parse_settings(model.text.name, plan.arguments.settings);
  return plan;
}

}  // namespace gradatim::cli
