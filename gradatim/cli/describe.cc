// gradatim describe NAME: everything that the declaration of a public name says.
#include <fmt/format.h>

#include <cstdio>

#include "gradatim/api/registry.h"
#include "gradatim/api/write/writers.h"
#include "gradatim/cli/cli.h"
#include "gradatim/core/error.h"

namespace gradatim::cli {
namespace {

// The export itself, or the only one that ends so: "huber" is boost.loss.huber.
const api::Entry& entry_named(const api::Registry& registry, const std::string& name) {
  if (registry.find(name) != nullptr) return registry.get(name);
  const api::Entry* only = nullptr;
  for (const auto& known : registry.names()) {
    if (!known.ends_with("." + name)) continue;
    const api::Entry* entry = registry.find(known);
    if (only != nullptr && only != entry) {
      throw UsageError(1006, fmt::format("'{}' is ambiguous; write '{}' or '{}'", name,
                                         only->text.name, entry->text.name));
    }
    only = entry;
  }
  return only != nullptr ? *only : registry.get(name);
}

}  // namespace

int run_describe(std::span<const std::string> args) {
  GRADATIM_CHECK(args.size() == 1, UsageError, 1002,
                 "usage: gradatim describe NAME; 'gradatim list' shows the names");
  const auto& registry = api::Registry::instance();
  const auto notice = registry.notice(args[0]);
  if (!notice.empty()) fmt::print(stderr, "{}\n", notice);
  fmt::print("{}", api::help_text(entry_named(registry, args[0]), registry));
  return 0;
}

}  // namespace gradatim::cli
