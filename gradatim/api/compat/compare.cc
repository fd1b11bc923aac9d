#include "gradatim/api/compat/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "gradatim/api/compat/internal.h"
#include "gradatim/api/write/words.h"

namespace gradatim::api::compat {
namespace {

using internal::contains;
using internal::Recorder;
using write::joined;

template <class Item>
const Item* named(std::span<const Item> items, std::string_view name) {
  const auto at = std::ranges::find(items, name, &Item::name);
  return at == items.end() ? nullptr : &*at;
}

// Looks like the one that went: of the same type, range and default, and new.
const SettingSurface* renamed(const SettingSurface& gone, const Surface& old,
                              const Surface& fresh) {
  for (const auto& setting : fresh.settings) {
    const bool alike = setting.type == gone.type && setting.initial == gone.initial &&
                       setting.choices == gone.choices && setting.range.low == gone.range.low &&
                       setting.range.high == gone.range.high;
    if (alike && named<SettingSurface>(old.settings, setting.name) == nullptr) return &setting;
  }
  return nullptr;
}

void compare_settings(const Surface& old, const Surface& fresh, Recorder& record) {
  std::vector<std::string> explained;
  for (const auto& before : old.settings) {
    const auto* now = named<SettingSurface>(fresh.settings, before.name);
    if (now != nullptr) {
      internal::compare_setting(before, *now, record);
      continue;
    }
    const auto heir = std::ranges::find_if(fresh.settings, [&](const auto& setting) {
      return contains(setting.aliases, before.name);
    });
    const auto* other = heir != fresh.settings.end() ? &*heir : renamed(before, old, fresh);
    if (other != nullptr) {
      const bool kept = heir != fresh.settings.end() || !before.deprecated.empty();
      record.removed(before.name, kept,
                     fmt::format("setting '{}' was renamed to '{}'", before.name, other->name),
                     "renamed");
      explained.push_back(other->name);
    } else {
      record.removed(before.name, !before.deprecated.empty(),
                     fmt::format("setting '{}' was removed", before.name));
    }
  }
  for (const auto& now : fresh.settings) {
    if (named<SettingSurface>(old.settings, now.name) != nullptr || contains(explained, now.name))
      continue;
    record.compatible(now.name, "added", fmt::format("setting '{}' was added", now.name));
  }
}

void compare_parts(const Surface& old, const Surface& fresh, Recorder& record) {
  for (const auto& before : old.parts) {
    const auto* now = named<PartSurface>(fresh.parts, before.name);
    if (now == nullptr) {
      record.removed(before.name, false, fmt::format("part '{}' was removed", before.name));
    } else if (now->kind != before.kind) {
      record.breaking(
          before.name, "retyped",
          fmt::format("part '{}' was a {} and is a {}", before.name, before.kind, now->kind));
    } else if (now->initial != before.initial) {
      record.breaking(before.name, "default changed",
                      fmt::format("the default of part '{}' was {} and is {}", before.name,
                                  before.initial, now->initial));
    }
  }
  for (const auto& now : fresh.parts) {
    if (named<PartSurface>(old.parts, now.name) != nullptr) continue;
    record.compatible(now.name, "added", fmt::format("part '{}' was added", now.name));
  }
}

bool optional(std::string_view argument) {
  return argument == "sample_weight" || argument.find('=') != std::string_view::npos;
}

void compare_arguments(const Surface& old, const Surface& fresh, Recorder& record) {
  if (old.arguments == fresh.arguments) return;
  const bool longer =
      fresh.arguments.size() > old.arguments.size() &&
      std::equal(old.arguments.begin(), old.arguments.end(), fresh.arguments.begin());
  const bool optional_only =
      longer &&
      std::all_of(fresh.arguments.begin() + static_cast<std::ptrdiff_t>(old.arguments.size()),
                  fresh.arguments.end(), optional);
  const auto sentence = fmt::format("the arguments were ({}) and are ({})",
                                    joined(old.arguments, ", "), joined(fresh.arguments, ", "));
  if (optional_only)
    record.compatible({}, "widened", sentence);
  else
    record.breaking({}, longer ? "new required" : "retyped", sentence);
}

void compare_names(const Surface& old, const Surface& fresh, Recorder& record) {
  for (const auto& alias : old.aliases) {
    if (contains(fresh.aliases, alias) || alias == fresh.name) continue;
    record.removed(alias, false, fmt::format("the name '{}' was removed", alias));
  }
  for (const auto& alias : fresh.aliases) {
    if (contains(old.aliases, alias) || alias == old.name) continue;
    record.compatible(alias, "added", fmt::format("the name '{}' was added", alias));
  }
  if (old.python != fresh.python) {
    const bool more = old.python.empty() || fresh.python.starts_with(old.python + " ");
    const auto sentence =
        fmt::format("the names in Python were '{}' and are '{}'", old.python, fresh.python);
    if (more)
      record.compatible({}, "added", sentence);
    else
      record.breaking({}, "renamed", sentence);
  }
}

}  // namespace

std::vector<Change> compare(const Surface& old, const Surface& fresh) {
  Recorder record(old.name);
  if (old.kind != fresh.kind) {
    record.breaking({}, "retyped", fmt::format("the kind was {} and is {}", old.kind, fresh.kind));
  }
  compare_names(old, fresh, record);
  compare_arguments(old, fresh, record);
  compare_settings(old, fresh, record);
  compare_parts(old, fresh, record);
  if (old.errors != fresh.errors) {
    record.compatible({}, "errors",
                      fmt::format("the errors were '{}' and are '{}'", joined(old.errors, " "),
                                  joined(fresh.errors, " ")));
  }
  if (old.deprecated != fresh.deprecated) {
    record.compatible({}, "deprecated",
                      fresh.deprecated.empty() ? "is not deprecated any more"
                                               : "is deprecated since " + fresh.deprecated);
  }
  if (old.since != fresh.since) {
    record.compatible({}, "since", fmt::format("since was {} and is {}", old.since, fresh.since));
  }
  return record.changes;
}

std::vector<Change> compare(std::span<const Surface> old, std::span<const Surface> fresh) {
  std::vector<Change> changes;
  std::vector<std::string> explained;
  for (const auto& before : old) {
    const auto* now = named<Surface>(fresh, before.name);
    Recorder record(before.name);
    if (now == nullptr) {
      const auto heir = std::ranges::find_if(
          fresh, [&](const auto& surface) { return contains(surface.aliases, before.name); });
      if (heir == fresh.end()) {
        record.removed({}, !before.deprecated.empty(), "was removed");
      } else {
        record.removed({}, true, fmt::format("was renamed to {}", heir->name), "renamed");
        now = &*heir;
        explained.push_back(heir->name);
      }
    }
    std::ranges::move(record.changes, std::back_inserter(changes));
    if (now != nullptr) std::ranges::move(compare(before, *now), std::back_inserter(changes));
  }
  for (const auto& now : fresh) {
    if (named<Surface>(old, now.name) != nullptr || contains(explained, now.name)) continue;
    Recorder record(now.name);
    record.compatible({}, "added", "was added");
    std::ranges::move(record.changes, std::back_inserter(changes));
  }
  return changes;
}

}  // namespace gradatim::api::compat
