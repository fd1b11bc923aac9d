#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/compat/internal.h"
#include "gradatim/api/settings.h"
#include "gradatim/api/write/words.h"

namespace gradatim::api::compat::internal {
namespace {

using write::joined;

// -1: fresh admits less than old, 1: more, 0: the same; both less and more counts as less.
int direction(bool loses, bool gains) { return loses ? -1 : gains ? 1 : 0; }

int widened(const Range& old, const Range& fresh) {
  const bool low_loses =
      fresh.low > old.low || (fresh.low == old.low && fresh.open_low && !old.open_low);
  const bool high_loses =
      fresh.high < old.high || (fresh.high == old.high && fresh.open_high && !old.open_high);
  const bool same = fresh.low == old.low && fresh.high == old.high &&
                    fresh.open_low == old.open_low && fresh.open_high == old.open_high;
  return direction(low_loses || high_loses, !same);
}

int widened(std::span<const std::string> old, std::span<const std::string> fresh) {
  const bool loses =
      std::ranges::any_of(old, [&](const auto& choice) { return !contains(fresh, choice); });
  return direction(loses, old.size() < fresh.size());
}

std::string type_of(const SettingSurface& setting) {
  return setting.capacity ? "list of " + setting.type : setting.type;
}

}  // namespace

bool contains(std::span<const std::string> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void compare_setting(const SettingSurface& old, const SettingSurface& fresh, Recorder& record) {
  const auto subject = fmt::format("setting '{}'", old.name);
  if (type_of(old) != type_of(fresh)) {
    record.breaking(
        old.name, "retyped",
        fmt::format("{} was of type {} and is of type {}", subject, type_of(old), type_of(fresh)));
    return;
  }
  const auto width = [&](int sign, const std::string& from, const std::string& to) {
    if (sign == 0) return;
    const auto what = sign < 0 ? "narrowed" : "widened";
    const auto sentence = fmt::format("{} was {} from {} to {}", subject, what, from, to);
    if (sign < 0)
      record.breaking(old.name, what, sentence);
    else
      record.compatible(old.name, what, sentence);
  };
  width(widened(old.range, fresh.range), to_text(old.range), to_text(fresh.range));
  width(widened(old.choices, fresh.choices), joined(old.choices, ", "),
        joined(fresh.choices, ", "));
  if (old.capacity) {
    width(direction(*fresh.capacity<*old.capacity, *fresh.capacity> * old.capacity),
          fmt::format("at most {}", *old.capacity), fmt::format("at most {}", *fresh.capacity));
  }
  if (old.initial != fresh.initial) {
    record.breaking(
        old.name, "default changed",
        fmt::format("the default of {} was {} and is {}", subject, old.initial, fresh.initial));
  }
  if (old.unit != fresh.unit) {
    record.breaking(
        old.name, "unit changed",
        fmt::format("the unit of {} was '{}' and is '{}'", subject, old.unit, fresh.unit));
  }
  for (const auto& alias : old.aliases) {
    if (contains(fresh.aliases, alias)) continue;
    record.removed(alias, false, fmt::format("alias '{}' of {} was removed", alias, subject));
  }
  for (const auto& alias : fresh.aliases) {
    if (contains(old.aliases, alias)) continue;
    record.compatible(alias, "added", fmt::format("alias '{}' of {} was added", alias, subject));
  }
  if (old.deprecated != fresh.deprecated) {
    record.compatible(old.name, "deprecated",
                      fresh.deprecated.empty()
                          ? fmt::format("{} is not deprecated any more", subject)
                          : fmt::format("{} is deprecated since {}", subject, fresh.deprecated));
  }
}

}  // namespace gradatim::api::compat::internal
