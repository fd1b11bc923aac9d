// Settings as JSON and back. Doubles are written with the fewest digits that read back the same.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradatim/api/internal/features.h"
#include "gradatim/api/internal/locate.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"

namespace gradatim::api {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Scalar& scalar) {
  return std::visit([](const auto& x) { return Json(x); }, scalar);
}

Json json_of(const Value& value) {
  if (const auto* items = std::get_if<std::vector<Scalar>>(&value)) {
    Json array = Json::array();
    for (const auto& item : *items) array.push_back(json_of(item));
    return array;
  }
  if (const auto* groups = std::get_if<Groups>(&value)) return *groups;
  if (const auto* named = std::get_if<ByName>(&value)) {
    const bool by_position = named->empty() || named->front().first.empty();
    Json json = by_position ? Json::array() : Json::object();
    for (const auto& [name, item] : *named) {
      if (by_position)
        json.push_back(json_of(item));
      else
        json[name] = json_of(item);
    }
    return json;
  }
  return std::visit(
      [](const auto& x) -> Json {
        if constexpr (std::is_constructible_v<Scalar, decltype(x)>) return x;
        return {};
      },
      value);
}

Json json_of(const Settings& settings) {
  Json object = {{"component", settings.component}};
  for (const auto& [name, value] : settings.values) object[name] = json_of(value);
  for (const auto& [name, part] : settings.parts) {
    const bool bare = part.values.empty() && part.parts.empty();
    object[name] = bare ? Json(part.component) : json_of(part);
  }
  return object;
}

[[noreturn]] void refuse(const Entry& entry, const Setting& setting, const Json& json) {
  throw UsageError(1004, fmt::format("{}: {} must be {}; got {}", entry.text.name, setting.name,
                                     admissible(setting), json.dump()));
}

Scalar scalar_of(const Entry& entry, const Setting& setting, const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_unsigned() &&
      json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX)) {
    return json.get<double>();  // too large for an integer; a real takes it
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  refuse(entry, setting, json);
}

Groups groups_of(const Entry& entry, const Setting& setting, const Json& json) {
  Groups groups;
  for (const auto& group : json) {
    if (!group.is_array()) refuse(entry, setting, json);
    groups.emplace_back();
    for (const auto& name : group) {
      if (!name.is_string()) refuse(entry, setting, json);
      groups.back().push_back(name.get<std::string>());
    }
  }
  return groups;
}

Value value_of(const Entry& entry, const Setting& setting, const Json& json) {
  if (setting.form == Form::by_feature && (json.is_object() || json.is_array())) {
    ByName items;
    for (const auto& [key, item] : json.items()) {
      items.emplace_back(json.is_object() ? key : "", scalar_of(entry, setting, item));
    }
    return checked(entry, setting, std::move(items));
  }
  if (setting.form == Form::groups && json.is_array()) return groups_of(entry, setting, json);
  if (internal::of_features(setting) && json.is_null()) return parse_value(entry, setting, "");
  if (internal::of_features(setting) && json.is_string()) {
    return parse_value(entry, setting, json.get<std::string>());
  }
  if (!json.is_array()) {
    return checked(entry, setting,
                   std::visit([](auto x) -> Value { return x; }, scalar_of(entry, setting, json)));
  }
  std::vector<Scalar> items;
  for (const auto& item : json) items.push_back(scalar_of(entry, setting, item));
  return checked(entry, setting, std::move(items));
}

// Objects are parts: their component is said first, then everything inside with its path.
void flatten(const std::string& prefix, const Json& object, const Registry& registry,
             std::vector<internal::Assignment>& out) {
  for (const auto& [key, json] : object.items()) {
    if (key == "component") {
      GRADATIM_CHECK(json.is_string(), UsageError, 1004,
                     "\"component\" must be the name of a component; got {}", json.dump());
      if (prefix.empty()) continue;
      out.push_back({prefix, json.get<std::string>(), {}});
    } else if (json.is_object() && !takes_object(key, registry)) {
      flatten(prefix.empty() ? key : prefix + "." + key, json, registry, out);
    } else {
      out.push_back({prefix.empty() ? key : prefix + "." + key,
                     json.is_string() ? std::optional(json.get<std::string>()) : std::nullopt,
                     [json = json](const Entry& entry, const Setting& setting) {
                       return value_of(entry, setting, json);
                     }});
    }
  }
}

Json parsed(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw UsageError(1004, fmt::format("the settings are not valid JSON at byte {}", error.byte));
  }
}

}  // namespace

std::string to_json(const Settings& settings) { return json_of(settings).dump(); }

Settings settings_from_json(std::string_view text, const Registry& registry) {
  const Json json = parsed(text);
  if (json.is_string())
    return {.component = std::string(registry.get(json.get<std::string>()).text.name)};
  GRADATIM_CHECK(json.is_object() && json.contains("component"), UsageError, 1002,
                 "the settings name no component; begin with {{\"component\": \"...\"}}, as "
                 "'gradatim list' shows them");
  std::vector<internal::Assignment> assignments;
  flatten({}, json, registry, assignments);
  return internal::assign(json["component"].get<std::string>(), assignments, registry);
}

}  // namespace gradatim::api
