// api/schema.json: what a configuration file may hold, for editors and for other programs.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "gradatim/api/settings.h"
#include "gradatim/api/write/words.h"
#include "gradatim/api/write/writers.h"

namespace gradatim::api {
namespace {

using namespace write;
using Json = nlohmann::ordered_json;

Json number(double x, bool integer) {
  return integer ? Json(static_cast<std::int64_t>(x)) : Json(x);
}

Json scalar_schema(const Setting& setting) {
  if (setting.type == Type::choice) {
    return {{"enum", std::vector<std::string>(setting.choices.begin(), setting.choices.end())}};
  }
  if (setting.type == Type::flag) return {{"type", "boolean"}};
  if (setting.type == Type::text) return {{"type", "string"}};
  const bool integer = setting.type == Type::integer;
  const Range& range = setting.note.range;
  Json schema = {{"type", integer ? "integer" : "number"}};
  if (!std::isinf(range.low)) {
    schema[range.open_low ? "exclusiveMinimum" : "minimum"] = number(range.low, integer);
  }
  if (!std::isinf(range.high)) {
    schema[range.open_high ? "exclusiveMaximum" : "maximum"] = number(range.high, integer);
  }
  return schema;
}

Json setting_schema(const Entry& entry, const Setting& setting) {
  Json schema = scalar_schema(setting);
  if (setting.form == Form::groups) {
    const Json group = {{"type", "array"}, {"items", std::move(schema)}};
    schema = {{"type", "array"}, {"items", group}};
  } else if (setting.form == Form::by_feature) {
    const Json by_name = {{"type", "object"}, {"additionalProperties", schema}};
    const Json in_order = {{"type", "array"}, {"items", std::move(schema)}};
    schema = {{"anyOf", Json::array({by_name, in_order})}};
  } else if (setting.form == Form::list) {
    schema = {{"type", "array"}, {"maxItems", setting.capacity}, {"items", std::move(schema)}};
  }
  const Settings initial{
      std::string(entry.text.name), {{std::string(setting.name), setting.initial()}}, {}};
  schema["default"] = Json::parse(to_json(initial))[std::string(setting.name)];
  schema["description"] =
      fmt::format("{}{}{}", setting.note.doc, setting.note.unit.empty() ? "" : " Unit: ",
                  setting.note.unit.empty() ? "" : std::string(setting.note.unit) + ".");
  if (!setting.note.deprecated.empty()) schema["deprecated"] = true;
  return schema;
}

Json reference(std::string_view name) { return {{"$ref", fmt::format("#/$defs/{}", name)}}; }

Json part_schema(const Part& part, const Registry& registry) {
  Json names = Json::array({"auto"});
  Json choices = Json::array();
  for (const Entry* entry : registry.list(part.kind)) {
    names.push_back(short_name(*entry));
    names.push_back(entry->text.name);
    for (const auto& alias : words(entry->text.aliases)) names.push_back(alias);
    if (entry->signature.empty()) choices.push_back(reference(entry->text.name));
  }
  choices.insert(choices.begin(), Json{{"enum", names}});
  return {{"description", part.doc}, {"default", short_default(part)}, {"anyOf", choices}};
}

Json component_schema(const Entry& entry, const Registry& registry) {
  Json names = Json::array({entry.text.name});
  if (short_name(entry) != entry.text.name) names.push_back(short_name(entry));
  for (const auto& alias : words(entry.text.aliases)) names.push_back(alias);
  Json properties = {{"component", {{"enum", names}}}};
  for (const auto& setting : entry.settings) {
    const Json schema = setting_schema(entry, setting);
    properties[std::string(setting.name)] = schema;
    for (const auto& alias : words(setting.note.alias)) properties[alias] = schema;
  }
  for (const auto& part : entry.parts)
    properties[std::string(part.name)] = part_schema(part, registry);
  // Options of parts may be said at the top ("max_depth"), so a model takes other names too.
  return {{"type", "object"},
          {"description", entry.text.summary},
          {"properties", properties},
          {"additionalProperties", is_model(entry, registry)},
          {"required", {"component"}}};
}

}  // namespace

std::string schema_text(const Registry& registry) {
  Json models = Json::array();
  Json definitions = Json::object();
  for (const Entry* entry : registry.list()) {
    if (!entry->signature.empty()) continue;
    definitions[std::string(entry->text.name)] = component_schema(*entry, registry);
    if (is_model(*entry, registry)) models.push_back(reference(entry->text.name));
  }
  const Json schema = {{"$comment", kGeneratedMark},
                       {"$schema", "https://json-schema.org/draft/2020-12/schema"},
                       {"title", "gradatim configuration"},
                       {"anyOf", models},
                       {"$defs", definitions}};
  return schema.dump(2) + "\n";
}

}  // namespace gradatim::api
