#include "gradatim/cli/names.h"

#include <algorithm>

#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

void add_names(const api::Entry& entry, std::vector<std::string>& names) {
  for (const auto& setting : entry.settings) {
    names.emplace_back(setting.name);
    for (const auto& alias : split(setting.note.alias, ' ')) {
      if (!alias.empty()) names.push_back(alias);
    }
  }
  for (const auto& part : entry.parts) names.emplace_back(part.name);
}

}  // namespace

const api::Entry& model_entry(const std::string& name) {
  return api::Registry::instance().get(name, "model");
}

std::vector<std::string> model_names() {
  std::vector<std::string> names;
  for (const api::Entry* entry : api::Registry::instance().list("model")) {
    names.emplace_back(entry->text.name);
  }
  return names;
}

const api::Entry& metric_entry(const std::string& name) {
  return api::Registry::instance().get(name, "boost.metric");
}

std::vector<std::string> metric_names(const Arguments& arguments) {
  auto names = arguments.list("metric");
  for (const auto& name : names) metric_entry(name);
  return names;
}

bool is_setting_name(const std::string& name) {
  std::vector<std::string> names;
  for (const api::Entry* entry : api::Registry::instance().list()) add_names(*entry, names);
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> option_names_of(const api::Entry& entry) {
  std::vector<std::string> names;
  add_names(entry, names);
  for (const auto& part : entry.parts) {
    const api::Entry* chosen = api::Registry::instance().find(part.initial);
    if (chosen == nullptr) continue;
    const auto inner = option_names_of(*chosen);
    names.insert(names.end(), inner.begin(), inner.end());
  }
  return names;
}

}  // namespace gradatim::cli
