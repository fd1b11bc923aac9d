// Where an option lands: the setting or part of a tree of settings that a path names.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gradatim/api/settings.h"

namespace gradatim::api::internal {

/// A setting by its name or alias; a part by its name. nullptr where there is none.
const Setting* find_setting(const Entry& entry, std::string_view name);
const Part* find_part(const Entry& entry, std::string_view name);

/// GRD-1002 with the nearest name of a setting or part, at any depth, or the component that would
/// have it.
[[noreturn]] void unknown_option(const Settings& root, std::string_view path,
                                 const Registry& registry);

/// What was said about one path: the name of a part, or a value of a setting once it is known
/// which. `name` is absent where the value cannot be a name (a JSON number).
struct Assignment {
  std::string path;
  std::optional<std::string> name;
  std::function<Value(const Entry&, const Setting&)> value;
};

/// Settings from assignments in order, parts before their settings.
Settings assign(std::string_view component, std::span<const Assignment> assignments,
                const Registry& registry);

}  // namespace gradatim::api::internal
