// gradatim list [KIND]: public names, one a line with its summary.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/registry.h"
#include "gradatim/cli/cli.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

void print(const api::Registry& registry, const std::string& kind) {
  std::size_t width = 0;
  for (const auto* entry : registry.list(kind)) width = std::max(width, entry->text.name.size());
  fmt::print("{}\n", kind);
  for (const auto* entry : registry.list(kind)) {
    fmt::print("  {:<{}}  {}\n", entry->text.name, width, entry->text.summary);
  }
}

}  // namespace

int run_list(std::span<const std::string> args) {
  GRADATIM_CHECK(args.size() <= 1, UsageError, 1002, "usage: gradatim list [KIND]");
  const auto& registry = api::Registry::instance();
  auto kinds = registry.kinds();
  if (!args.empty()) {
    // "loss" is boost.loss, as long as one kind only ends so.
    std::vector<std::string> wanted;
    for (const auto& kind : kinds) {
      if (kind == args[0] || kind.ends_with("." + args[0])) wanted.push_back(kind);
    }
    const auto near = did_you_mean(args[0], kinds);
    GRADATIM_CHECK(!wanted.empty(), UsageError, 1001, "there is no kind '{}'{}", args[0],
                   near.empty() ? "; the kinds are " + join_and(kinds) : near);
    kinds = wanted;
  }
  for (const auto& kind : kinds) print(registry, kind);
  return 0;
}

}  // namespace gradatim::cli
