#include "gradatim/cli/config.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

class Flattener {
 public:
  explicit Flattener(const std::string& path) : path_(path) {}

  void add(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const auto* inner = node.as_table();
      if (inner != nullptr && api::takes_object(name)) {
        options_.emplace_back(prefix + name, by_feature(*inner, prefix + name));
      } else if (inner != nullptr) {
        add(*inner, prefix + name + ".");
      } else if (name == "component") {
        options_.emplace_back(prefix.empty() ? "model" : prefix.substr(0, prefix.size() - 1),
                              scalar(node, prefix + name));
      } else {
        options_.emplace_back(prefix + name, value(node, prefix + name));
      }
    }
  }
  std::vector<api::Option> take() { return std::move(options_); }

 private:
  std::string value(const toml::node& node, const std::string& name) const {
    const auto* array = node.as_array();
    if (array == nullptr) return scalar(node, name);
    if (array->empty()) return "[]";
    if (array->front().is_array()) return groups(*array, name);
    std::string text;
    for (const auto& item : *array) {
      text += (text.empty() ? "" : ",") + scalar(item, name);
      if (item.is_string() && item.ref<std::string>().find(',') != std::string::npos) {
        refuse(item, name, "a name in a list has no comma");
      }
    }
    return text;
  }

  std::string by_feature(const toml::table& table, const std::string& name) const {
    api::ByName items;
    for (const auto& [key, node] : table) {
      items.emplace_back(std::string(key.str()), scalar(node, name));
    }
    return api::to_text(api::Value(items));
  }

  std::string groups(const toml::array& array, const std::string& name) const {
    api::Groups groups;
    for (const auto& group : array) {
      if (!group.is_array()) refuse(group, name, "it must be a list of lists of names");
      groups.emplace_back();
      for (const auto& item : *group.as_array()) groups.back().push_back(scalar(item, name));
    }
    return api::to_text(api::Value(groups));
  }

  std::string scalar(const toml::node& node, const std::string& name) const {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
    if (const auto* real = node.as_floating_point()) return number_text(real->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    refuse(node, name, "it must be a text, a number, true, false, or a list of these");
  }

  [[noreturn]] void refuse(const toml::node& node, const std::string& name,
                           std::string_view rule) const {
    throw UsageError(
        1011, fmt::format("{}, line {}, '{}': {}", path_, node.source().begin.line, name, rule));
  }

  const std::string& path_;
  std::vector<api::Option> options_;
};

}  // namespace

namespace {

std::string toml_value(const api::Value& value) {
  const std::string text = api::to_text(value);
  if (std::holds_alternative<std::string>(value)) return "\"" + text + "\"";
  if (std::holds_alternative<std::int64_t>(value) || std::holds_alternative<bool>(value) ||
      std::holds_alternative<double>(value)) {
    return text;
  }
  return "\"" + text + "\"";  // a list, as an option says it
}

void add_table(const api::Settings& settings, const std::string& path, std::string& text) {
  const api::Settings usual = api::complete({.component = settings.component});
  text += path.empty() ? fmt::format("model = \"{}\"\n", settings.component)
                       : fmt::format("\n[{}]\ncomponent = \"{}\"\n", path, settings.component);
  for (const auto& [name, value] : settings.values) {
    const auto found = usual.values.find(name);
    if (found != usual.values.end() && found->second == value) continue;
    text += fmt::format("{} = {}\n", name, toml_value(value));
  }
  for (const auto& [name, part] : settings.parts) {
    add_table(part, path.empty() ? name : path + "." + name, text);
  }
}

}  // namespace

std::string config_text(const api::Settings& settings) {
  std::string text;
  add_table(settings, "", text);
  return text;
}

std::vector<api::Option> read_config(const std::string& path) {
  const MappedFile file(path);
  Flattener options(path);
  try {
    options.add(toml::parse(file.bytes(), path), "");
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw UsageError(1011, fmt::format("{}, line {}, column {}: it is no valid TOML: {}", path,
                                       at.line, at.column, error.description()));
  }
  return options.take();
}

}  // namespace gradatim::cli
