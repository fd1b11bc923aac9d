// One value against its setting, and whole settings against their entries.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "gradatim/api/internal/features.h"
#include "gradatim/api/internal/locate.h"
#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::api {
namespace {

[[noreturn]] void refuse(int code, const Entry& entry, const Setting& setting, std::string_view got,
                         std::string_view hint = {}) {
  throw UsageError(code, fmt::format("{}: {} must be {}; got {}{}", entry.text.name, setting.name,
                                     admissible(setting), got, hint));
}

std::string quoted(std::string_view text) { return fmt::format("'{}'", text); }

double as_double(const Scalar& x) {
  const auto* integer = std::get_if<std::int64_t>(&x);
  return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(x);
}

// Of the type that the setting stores; an integer may be written 1e6 and a real 1.
std::optional<Scalar> converted(Type type, const Scalar& x) {
  const auto* real = std::get_if<double>(&x);
  if (type == Type::flag && std::holds_alternative<bool>(x)) return x;
  if (type == Type::choice && std::holds_alternative<std::string>(x)) return x;
  if (type == Type::integer) {
    if (std::holds_alternative<std::int64_t>(x)) return x;
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (real != nullptr && std::abs(*real) <= kExact && *real == std::floor(*real)) {
      return static_cast<std::int64_t>(*real);
    }
  }
  if (type == Type::real && (real != nullptr || std::holds_alternative<std::int64_t>(x))) {
    return as_double(x);
  }
  return std::nullopt;
}

Scalar checked_scalar(const Entry& entry, const Setting& setting, const Scalar& given) {
  const auto found = converted(setting.type, given);
  const auto* text = std::get_if<std::string>(&given);
  if (!found) {
    const auto shown = text != nullptr
                           ? quoted(*text)
                           : std::visit([](const auto& x) { return to_text(Value(x)); }, given);
    refuse(setting.type == Type::choice ? 1005 : 1004, entry, setting, shown);
  }
  if (setting.type == Type::choice) {
    const std::vector<std::string> names(setting.choices.begin(), setting.choices.end());
    for (const auto& name : names) {
      if (name == *text) return *found;
    }
    refuse(1005, entry, setting, quoted(*text), did_you_mean(*text, names));
  }
  if (setting.type == Type::flag) return *found;
  const auto shown = std::visit([](const auto& x) { return to_text(Value(x)); }, *found);
  if (!setting.note.range.contains(as_double(*found))) refuse(1003, entry, setting, shown);
  const auto* integer = std::get_if<std::int64_t>(&*found);
  if (integer != nullptr && (*integer < setting.lowest || *integer > setting.highest)) {
    const bool low = *integer < setting.lowest;
    throw UsageError(1003, fmt::format("{}: {} must be at {} {}; got {}", entry.text.name,
                                       setting.name, low ? "least" : "most",
                                       low ? setting.lowest : setting.highest, *integer));
  }
  return *found;
}

// In order of names; a feature is named once, and all are or none is.
ByName checked_names(const Entry& entry, const Setting& setting, ByName items) {
  for (auto& [name, item] : items) item = checked_scalar(entry, setting, item);
  std::ranges::stable_sort(items, {}, &ByName::value_type::first);
  for (std::size_t i = 1; i < items.size(); ++i) {
    const auto& name = items[i].first;
    if (name.empty() != items[0].first.empty()) {
      refuse(1003, entry, setting, "some with names and some without");
    }
    if (!name.empty() && name == items[i - 1].first) {
      refuse(1003, entry, setting, quoted(name) + " twice");
    }
  }
  return items;
}

// A word as a person types it; what is no number stays text, for the message.
Scalar scalar_from_text(Type type, std::string_view text) {
  if (type == Type::flag) {
    if (text == "true" || text == "1") return true;
    if (text == "false" || text == "0") return false;
  } else if (type == Type::integer || type == Type::real) {
    if (const auto integer = parse_integer(text); integer && text != "-0") {
      return static_cast<std::int64_t>(*integer);
    }
    if (const auto number = parse_number(text)) return *number;
  }
  return std::string(text);
}

Settings walked(const Settings& settings, const Registry& registry, std::string_view kind,
                bool fill) {
  const Entry& entry = registry.get(settings.component, kind);
  Settings out{.component = std::string(entry.text.name)};
  for (const auto& [name, value] : settings.values) {
    const Setting* setting = internal::find_setting(entry, name);
    if (setting == nullptr) internal::unknown_option(settings, name, registry);
    out.values[std::string(setting->name)] = checked(entry, *setting, value);
  }
  for (const auto& [name, chosen] : settings.parts) {
    const Part* part = internal::find_part(entry, name);
    if (part == nullptr) internal::unknown_option(settings, name, registry);
    out.parts[name] = walked(chosen, registry, part->kind, fill);
  }
  if (!fill) return out;
  for (const auto& setting : entry.settings) {
    out.values.try_emplace(std::string(setting.name), setting.initial());
  }
  for (const auto& part : entry.parts) {
    if (part.initial == "auto" || out.parts.contains(std::string(part.name))) continue;
    const Settings initial{.component = std::string(part.initial)};
    out.parts[std::string(part.name)] = walked(initial, registry, part.kind, true);
  }
  return out;
}

}  // namespace

Value checked(const Entry& entry, const Setting& setting, Value value) {
  auto* items = std::get_if<std::vector<Scalar>>(&value);
  if (internal::form_of(value) != setting.form) refuse(1004, entry, setting, to_text(value));
  if (setting.form == Form::groups) return value;
  if (auto* named = std::get_if<ByName>(&value)) {
    return checked_names(entry, setting, std::move(*named));
  }
  if (items == nullptr) {
    const Scalar scalar = std::visit(
        [](const auto& x) -> Scalar {
          if constexpr (std::is_constructible_v<Scalar, decltype(x)>) return x;
          return false;
        },
        value);
    return std::visit([](auto x) -> Value { return x; }, checked_scalar(entry, setting, scalar));
  }
  if (items->size() > setting.capacity) {
    refuse(1003, entry, setting, fmt::format("{} of them", items->size()));
  }
  for (auto& item : *items) item = checked_scalar(entry, setting, item);
  return value;
}

Value parse_value(const Entry& entry, const Setting& setting, std::string_view text) {
  text = trim(text);
  if (setting.form == Form::groups) return internal::parse_groups(text);
  if (setting.form == Form::by_feature) {
    ByName items;
    for (auto& [name, word] : internal::parse_named(text)) {
      items.emplace_back(std::move(name), scalar_from_text(setting.type, word));
    }
    return checked(entry, setting, std::move(items));
  }
  if (setting.form == Form::one) {
    const Scalar scalar = scalar_from_text(setting.type, text);
    return checked(entry, setting, std::visit([](auto x) -> Value { return x; }, scalar));
  }
  if (text.starts_with('[') && text.ends_with(']')) text = trim(text.substr(1, text.size() - 2));
  std::vector<Scalar> items;
  if (!text.empty()) {
    for (const auto& word : split(text, ',')) {
      items.push_back(scalar_from_text(setting.type, trim(word)));
    }
  }
  return checked(entry, setting, std::move(items));
}

void check(const Settings& settings, const Registry& registry) {
  walked(settings, registry, {}, false);
}

Settings complete(const Settings& settings, const Registry& registry) {
  return walked(settings, registry, {}, true);
}

}  // namespace gradatim::api
