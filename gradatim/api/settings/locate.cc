#include "gradatim/api/internal/locate.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::api::internal {
namespace {

// A place in the tree: the dotted route of parts from the root and the entry that is there.
struct Node {
  std::vector<std::string> route;
  const Entry* entry;
};

// The entry behind a part: the chosen one, the default, or nullptr where the task decides.
const Entry* chosen(const Settings* settings, const Part& part, const Registry& registry) {
  if (settings != nullptr) {
    const auto at = settings->parts.find(std::string(part.name));
    if (at != settings->parts.end()) return registry.find(at->second.component);
  }
  return part.initial == "auto" ? nullptr : registry.find(part.initial);
}

// The root and its parts, level by level: the nearest first.
std::vector<Node> nodes(const Settings& root, const Registry& registry) {
  std::vector<Node> found{{{}, registry.find(root.component)}};
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Settings* settings = &root;
    for (const auto& name : found[i].route) {
      const auto at = settings->parts.find(name);
      settings = at == settings->parts.end() ? nullptr : &at->second;
      if (settings == nullptr) break;
    }
    for (const auto& part : found[i].entry->parts) {
      const Entry* entry = chosen(settings, part, registry);
      if (entry == nullptr) continue;
      auto route = found[i].route;
      route.emplace_back(part.name);
      found.push_back({std::move(route), entry});
    }
  }
  return found;
}

std::string dotted(std::span<const std::string> route, std::string_view last) {
  std::string text;
  for (const auto& name : route) text += name + ".";
  return text + std::string(last);
}

// What a part would have to be to have such a setting, of the components of its kind: one by its
// whole name, several by their short ones.
std::string owners_of(std::string_view name, std::string_view kind, const std::string& part,
                      const Registry& registry) {
  std::vector<std::string> owners;
  std::string first;
  for (const Entry* entry : registry.list(kind)) {
    if (find_setting(*entry, name) == nullptr) continue;
    if (owners.empty()) first = entry->text.name;
    owners.emplace_back(entry->text.name.substr(entry->text.name.rfind('.') + 1));
  }
  if (owners.empty()) return {};
  if (owners.size() == 1) {
    return fmt::format("; {} has it where {} is {}", first, part, owners.front());
  }
  const std::string last = owners.back();
  owners.pop_back();
  return fmt::format("; there is one where {} is {} or {}", part, fmt::join(owners, ", "), last);
}

struct Target {
  Node node;
  const Setting* setting = nullptr;
  const Part* part = nullptr;
};

// A path without dots is looked for at every level; the level nearest to the root that has it
// counts.
std::vector<Target> locate(const Settings& root, std::string_view path, const Registry& registry) {
  const auto dot = path.rfind('.');
  const auto last = dot == std::string_view::npos ? path : path.substr(dot + 1);
  const auto prefix = dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot + 1);
  std::vector<Target> hits;
  for (auto& node : nodes(root, registry)) {
    if (!hits.empty() && node.route.size() > hits.front().node.route.size()) break;
    if (!prefix.empty() && dotted(node.route, {}) != prefix) continue;
    const Setting* setting = find_setting(*node.entry, last);
    const Part* part = find_part(*node.entry, last);
    if (setting != nullptr || part != nullptr) hits.push_back({std::move(node), setting, part});
  }
  return hits;
}

// The settings at a route, made with the chosen components on the way.
Settings& at_route(Settings& root, const Node& node, const Registry& registry) {
  Settings* settings = &root;
  for (const auto& name : node.route) {
    const Entry* owner = registry.find(settings->component);
    const Entry* entry = chosen(settings, *find_part(*owner, name), registry);
    settings = &settings->parts[name];
    settings->component = std::string(entry->text.name);
  }
  return *settings;
}

void choose(Settings& root, const Target& target, const Assignment& given,
            const Registry& registry) {
  GRADATIM_CHECK(given.name.has_value(), UsageError, 1004, "{}: {} must be the name of a {}",
                 root.component, given.path, target.part->kind);
  Settings& owner = at_route(root, target.node, registry);
  const std::string part(target.part->name);
  if (*given.name == "auto") {
    owner.parts.erase(part);
    return;
  }
  const std::string wanted(registry.get(*given.name, target.part->kind).text.name);
  Settings& made = owner.parts[part];
  if (made.component != wanted) made = {.component = wanted};
}

[[noreturn]] void refuse(const Settings& root, std::string_view path, std::span<const Target> hits,
                         const Registry& registry) {
  if (hits.size() > 1) {
    const auto last = path.substr(path.rfind('.') + 1);
    throw UsageError(
        1006, fmt::format("{}: option '{}' is ambiguous; write '{}' or '{}'", root.component, path,
                          dotted(hits[0].node.route, last), dotted(hits[1].node.route, last)));
  }
  const Entry& entry = *registry.find(root.component);
  const auto first = path.substr(0, path.find('.'));
  const Part* part = find_part(entry, first);
  if (part != nullptr && first != path && chosen(&root, *part, registry) == nullptr) {
    throw UsageError(1002, fmt::format("{}: '{}' needs {} to be named, since it is 'auto'; "
                                       "'gradatim list {}' shows the choices",
                                       entry.text.name, path, first, part->kind));
  }
  if (part != nullptr && first != path) {
    Node node{{std::string(first)}, chosen(&root, *part, registry)};
    Settings copy = root;
    unknown_option(at_route(copy, node, registry), path.substr(first.size() + 1), registry);
  }
  unknown_option(root, path, registry);
}

}  // namespace

const Setting* find_setting(const Entry& entry, std::string_view name) {
  for (const auto& setting : entry.settings) {
    if (setting.name == name) return &setting;
    for (const auto& alias : split(setting.note.alias, ' ')) {
      if (!alias.empty() && alias == name) return &setting;
    }
  }
  return nullptr;
}

const Part* find_part(const Entry& entry, std::string_view name) {
  for (const auto& part : entry.parts) {
    if (part.name == name) return &part;
  }
  return nullptr;
}

void unknown_option(const Settings& root, std::string_view path, const Registry& registry) {
  std::vector<std::string> candidates;
  std::string remedy;
  const auto last = path.substr(path.rfind('.') + 1);
  for (const auto& [route, entry] : nodes(root, registry)) {
    const auto add = [&, &way = route](std::string_view name) {
      candidates.emplace_back(name);
      if (!way.empty()) candidates.push_back(dotted(way, name));
    };
    for (const auto& setting : entry->settings) add(setting.name);
    for (const auto& part : entry->parts) {
      add(part.name);
      if (remedy.empty()) remedy = owners_of(last, part.kind, dotted(route, part.name), registry);
    }
  }
  const std::string near = did_you_mean(path, candidates);
  if (!near.empty()) remedy = near;
  if (remedy.empty()) {
    remedy = fmt::format("; 'gradatim describe {}' shows its options", root.component);
  }
  throw UsageError(1002, fmt::format("{} has no option '{}'{}", root.component, path, remedy));
}

Settings assign(std::string_view component, std::span<const Assignment> assignments,
                const Registry& registry) {
  Settings root{.component = std::string(registry.get(component).text.name)};
  // Parts first, outer ones before the inner ones that they bring in.
  std::vector<const Assignment*> pending;
  for (const auto& given : assignments) pending.push_back(&given);
  const auto depth = [](const Assignment* given) { return std::ranges::count(given->path, '.'); };
  std::ranges::stable_sort(pending, {}, depth);
  const auto is_part = [&](const Assignment* given) {
    const auto hits = locate(root, given->path, registry);
    if (hits.size() != 1 || hits.front().part == nullptr) return false;
    choose(root, hits.front(), *given, registry);
    return true;
  };
  while (std::erase_if(pending, is_part) > 0) {
  }
  for (const auto& given : assignments) {
    if (std::ranges::find(pending, &given) == pending.end()) continue;
    const auto hits = locate(root, given.path, registry);
    if (hits.size() != 1) refuse(root, given.path, hits, registry);
    const auto& [node, setting, part] = hits.front();
    Value value = given.value(*node.entry, *setting);
    at_route(root, node, registry).values[std::string(setting->name)] = std::move(value);
  }
  return root;
}

}  // namespace gradatim::api::internal

namespace gradatim::api {

bool takes_object(std::string_view path, const Registry& registry) {
  const auto name = path.substr(path.rfind('.') + 1);
  for (const Entry* entry : registry.list()) {
    const Setting* setting = internal::find_setting(*entry, name);
    if (setting != nullptr && setting->form == Form::by_feature) return true;
  }
  return false;
}

}  // namespace gradatim::api
