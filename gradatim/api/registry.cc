#include "gradatim/api/registry.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "gradatim/api/manifest.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::api {
namespace {

std::string place(const Entry& entry) { return fmt::format("{}:{}", entry.file, entry.line); }

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> list;
  for (auto& word : split(text, ' ')) {
    if (!word.empty()) list.push_back(std::move(word));
  }
  return list;
}

std::vector<std::string> names_of(const Entry& entry) {
  auto names = words(entry.text.aliases);
  names.insert(names.begin(), std::string(entry.text.name));
  return names;
}

std::string_view last_segment(std::string_view name) { return name.substr(name.rfind('.') + 1); }
std::string_view first_segment(std::string_view name) { return name.substr(0, name.find('.')); }

// The folder below gradatim/ that a declaration lives in: "boost" of gradatim/boost/loss/huber.cc.
std::string_view folder(const Entry& entry) {
  constexpr std::string_view kRoot = "gradatim/";
  if (!entry.file.starts_with(kRoot)) return {};
  const auto rest = entry.file.substr(kRoot.size());
  return rest.substr(0, rest.find('/'));
}

// A folder that declares names of its own space ("boost.") owns that space.
void check_spaces(std::span<const Entry* const> entries) {
  std::map<std::string_view, const Entry*> owners;
  for (const Entry* entry : entries) {
    if (folder(*entry) == first_segment(entry->text.name)) owners.emplace(folder(*entry), entry);
  }
  for (const Entry* entry : entries) {
    for (const auto& name : names_of(*entry)) {
      const auto owner = owners.find(first_segment(name));
      if (owner == owners.end() || owner->first == folder(*entry)) continue;
      throw std::logic_error(fmt::format(
          "'{}', declared at {}, lies in the space of '{}.', which belongs to {} (declared at {})",
          name, place(*entry), owner->first, owner->second->text.name, place(*owner->second)));
    }
  }
}

void check_own_names(const Entry& entry) {
  std::set<std::string, std::less<>> seen;
  const auto claim = [&](std::string_view name) {
    if (seen.emplace(name).second) return;
    throw std::logic_error(fmt::format("{} declares '{}' twice among its settings and parts, at {}",
                                       entry.text.name, name, place(entry)));
  };
  for (const auto& setting : entry.settings) {
    claim(setting.name);
    for (const auto& alias : words(setting.note.alias)) claim(alias);
  }
  for (const auto& part : entry.parts) claim(part.name);
}

void check_parts(const Registry& registry, const Entry& entry) {
  for (const auto& part : entry.parts) {
    if (registry.list(part.kind).empty()) {
      throw std::logic_error(
          fmt::format("{}: part '{}' wants a {}, but nothing of that kind is "
                      "exported; declared at {}",
                      entry.text.name, part.name, part.kind, place(entry)));
    }
    if (part.initial == "auto") continue;
    const Entry* initial = registry.find(part.initial);
    if (initial == nullptr || initial->kind != part.kind || initial->text.name != part.initial) {
      throw std::logic_error(
          fmt::format("{}: part '{}' defaults to '{}', which is no canonical "
                      "name of a {}; declared at {}",
                      entry.text.name, part.name, part.initial, part.kind, place(entry)));
    }
  }
}

}  // namespace

const Registry& Registry::instance() {
  static const Registry registry(manifest());
  return registry;
}

Registry::Registry(std::span<const Entry* const> entries)
    : entries_(entries.begin(), entries.end()) {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry* a, const Entry* b) { return a->text.name < b->text.name; });
  for (const Entry* entry : entries_) {
    for (const auto& name : names_of(*entry)) {
      const auto [at, fresh] = by_name_.emplace(name, entry);
      if (fresh) continue;
      throw std::logic_error(fmt::format("'{}' is exported twice: at {} and at {}", name,
                                         place(*at->second), place(*entry)));
    }
  }
  check_spaces(entries_);
  for (const Entry* entry : entries_) {
    check_own_names(*entry);
    check_parts(*this, *entry);
  }
}

const Entry* Registry::find(std::string_view name) const {
  const auto at = by_name_.find(name);
  return at == by_name_.end() ? nullptr : at->second;
}

const Entry& Registry::get(std::string_view name, std::string_view kind) const {
  const Entry* exact = find(name);
  if (exact != nullptr && (kind.empty() || exact->kind == kind)) return *exact;
  if (!kind.empty()) {
    const Entry* completed = find(fmt::format("{}.{}", kind, name));
    if (completed != nullptr && completed->kind == kind) return *completed;
  }
  std::vector<std::string> candidates = names(kind);
  const Entry* by_last = nullptr;  // "newton" is boost.newton where a boost.ensemble is wanted
  for (const auto& candidate : kind.empty() ? std::vector<std::string>{} : names(kind)) {
    const std::string last(last_segment(candidate));
    if (last == name) by_last = find(candidate);
    candidates.push_back(last);
  }
  if (by_last != nullptr) return *by_last;
  GRADATIM_CHECK(exact == nullptr, UsageError, 1001, "'{}' is a {}, but a {} is wanted here", name,
                 exact->kind, kind);
  std::string remedy = did_you_mean(name, candidates);
  if (remedy.empty()) {
    remedy = fmt::format("; 'gradatim list{}{}' shows them", kind.empty() ? "" : " ", kind);
  }
  throw UsageError(1001, fmt::format("there is no {} named '{}'{}",
                                     kind.empty() ? "component" : kind, name, remedy));
}

std::vector<const Entry*> Registry::list(std::string_view kind) const {
  std::vector<const Entry*> found;
  for (const Entry* entry : entries_) {
    if (kind.empty() || entry->kind == kind) found.push_back(entry);
  }
  return found;
}

std::vector<std::string> Registry::kinds() const {
  std::set<std::string> kinds;
  for (const Entry* entry : entries_) kinds.emplace(entry->kind);
  return {kinds.begin(), kinds.end()};
}

std::vector<std::string> Registry::names(std::string_view kind) const {
  std::vector<std::string> found;
  for (const auto& [name, entry] : by_name_) {
    if (kind.empty() || entry->kind == kind) found.push_back(name);
  }
  return found;
}

std::string Registry::notice(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) return {};
  const Text& text = entry->text;
  if (!text.deprecated.empty()) {
    return fmt::format("{} is deprecated since {}{}", name, text.deprecated,
                       text.replaced_by.empty() ? "" : fmt::format("; use {}", text.replaced_by));
  }
  return text.name == name ? "" : fmt::format("{} is another name of {}", name, text.name);
}

}  // namespace gradatim::api
