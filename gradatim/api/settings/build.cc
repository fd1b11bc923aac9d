// A component and its parts from settings, and what to warn about before.
#include <fmt/format.h>

#include "gradatim/api/internal/locate.h"
#include "gradatim/api/settings.h"

namespace gradatim::api {
namespace {

// `route` is the path of this component with a dot behind it; empty at the root.
Made made(const Settings& complete, const Registry& registry, const OwnParts& own,
          const std::string& route) {
  const Entry& entry = registry.get(complete.component);
  std::vector<Value> values;
  for (const auto& setting : entry.settings) {
    values.push_back(complete.values.at(std::string(setting.name)));
  }
  std::vector<Made> parts;
  for (const auto& part : entry.parts) {
    const std::string path = route + std::string(part.name);
    const auto at = complete.parts.find(std::string(part.name));
    if (const auto given = own.find(path); given != own.end()) {
      parts.push_back(given->second);
    } else {
      parts.push_back(at == complete.parts.end() ? nullptr
                                                 : made(at->second, registry, own, path + "."));
    }
  }
  return entry.make(entry, values, parts);
}

void collect(const Settings& settings, const Registry& registry, std::vector<std::string>& out) {
  const Entry& entry = registry.get(settings.component);
  if (!entry.text.deprecated.empty()) out.push_back(registry.notice(entry.text.name));
  for (const auto& [name, value] : settings.values) {
    const Setting* setting = internal::find_setting(entry, name);
    if (setting == nullptr || setting->note.deprecated.empty()) continue;
    out.push_back(fmt::format("{}: option '{}' is deprecated since {}", entry.text.name,
                              setting->name, setting->note.deprecated));
  }
  for (const auto& [name, part] : settings.parts) collect(part, registry, out);
}

}  // namespace

Made build(const Settings& settings, const Registry& registry, const OwnParts& own) {
  return made(complete(settings, registry), registry, own, {});
}

std::vector<std::string> notices(const Settings& settings, const Registry& registry) {
  std::vector<std::string> found;
  collect(settings, registry, found);
  return found;
}

}  // namespace gradatim::api
