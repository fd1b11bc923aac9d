// gradatim api write [--root DIR]: writes every file that is derived from the registry.
// gradatim api check [--golden DIR] [--changelog FILE]: tells compatible from breaking changes.
#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "gradatim/api/compat/check.h"
#include "gradatim/api/write/writers.h"
#include "gradatim/cli/cli.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"
#include "gradatim/core/text.h"

namespace gradatim::cli {
namespace {

constexpr std::string_view kUsage =
    "usage: gradatim api write [--root DIR] or gradatim api check [--golden DIR] [--changelog "
    "FILE]";

// The given options over their defaults, which name the options that there are.
std::map<std::string, std::string> options(std::span<const std::string> args,
                                           std::map<std::string, std::string> values) {
  std::vector<std::string> known;
  for (const auto& [name, value] : values) known.push_back(name);
  for (std::size_t i = 0; i < args.size(); i += 2) {
    GRADATIM_CHECK(values.contains(args[i]), UsageError, 1002, "'{}' is no option here{}; {}",
                   args[i], did_you_mean(args[i], known), kUsage);
    GRADATIM_CHECK(i + 1 < args.size(), UsageError, 1002, "{} needs a value; {}", args[i], kUsage);
    values[args[i]] = args[i + 1];
  }
  return values;
}

int write(std::span<const std::string> args) {
  const auto root = options(args, {{"--root", "."}}).at("--root");
  GRADATIM_CHECK(std::filesystem::is_regular_file(root + "/gradatim/api/export.h"), UsageError,
                 1002, "{}: not the root of gradatim's sources; give it as --root DIR", root);
  const auto& registry = api::Registry::instance();
  const auto files = api::all_files(registry);
  const auto [changed, removed] = api::write_files(root, files);
  for (const auto& path : changed) fmt::print("wrote {}\n", path);
  for (const auto& path : removed) fmt::print("removed {}\n", path);
  fmt::print("{} names, {} files: {} written, {} removed\n", registry.list().size(), files.size(),
             changed.size(), removed.size());
  return 0;
}

int check(std::span<const std::string> args) {
  const auto given = options(args, {{"--golden", "api/golden"}, {"--changelog", "CHANGELOG.md"}});
  const auto& path = given.at("--changelog");
  std::string changelog;
  if (std::filesystem::exists(path)) changelog = MappedFile(path).bytes();
  const auto verdict =
      api::compat::check(api::Registry::instance(), given.at("--golden"), changelog);
  fmt::print("{}", verdict.report());
  return verdict.current() ? 0 : 1;
}

}  // namespace

int run_api(std::span<const std::string> args) {
  const std::string verb = args.empty() ? "" : args[0];
  if (verb == "write") return write(args.subspan(1));
  if (verb == "check") return check(args.subspan(1));
  throw UsageError(1002, std::string(kUsage));
}

}  // namespace gradatim::cli
