#include "gradatim/api/compat/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "gradatim/api/write/writers.h"
#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::api::compat {
namespace {

namespace fs = std::filesystem;

std::string remedy(const Change& change) {
  const auto named = change.subject.empty()
                         ? change.component
                         : fmt::format("{} and '{}'", change.component, change.subject);
  const auto line =
      fmt::format("a line of CHANGELOG.md that begins with BREAKING and names {}", named);
  if (change.name_kept) return "add " + line;
  return "keep the old name as an alias, or deprecate it first, and add " + line;
}

}  // namespace

std::vector<Surface> read_golden(const std::string& folder) {
  GRADATIM_CHECK(fs::is_directory(folder), DataError, 2001,
                 "{}: no folder of golden files; 'gradatim api write' makes api/golden", folder);
  std::vector<std::string> paths;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (file.path().extension() == ".txt") paths.push_back(file.path().string());
  }
  std::ranges::sort(paths);
  std::vector<Surface> found;
  for (const auto& path : paths) found.push_back(read_surface(MappedFile(path).bytes(), path));
  return found;
}

std::vector<Surface> surfaces(const Registry& registry) {
  std::vector<Surface> found;
  for (const Entry* entry : registry.list()) {
    found.push_back(read_surface(golden_text(*entry), std::string(entry->text.name)));
  }
  return found;
}

bool Verdict::compatible() const {
  return std::ranges::none_of(changes, [](const auto& c) { return c.breaking && !c.excused; });
}

std::string Verdict::report() const {
  if (current()) return "the public API is that of the golden files\n";
  std::string text;
  for (const auto& change : changes) {
    if (!change.breaking || change.excused) continue;
    text += fmt::format("breaking: {}; {}\n", change.sentence, remedy(change));
  }
  for (const auto& change : changes) {
    if (change.excused) text += fmt::format("breaking, in the changelog: {}\n", change.sentence);
  }
  for (const auto& change : changes) {
    if (!change.breaking) text += fmt::format("compatible: {}\n", change.sentence);
  }
  return text + (compatible() ? "golden files are out of date: run 'make api'\n"
                              : "the public API breaks what others depend on\n");
}

Verdict check(const Registry& registry, const std::string& golden_folder,
              std::string_view changelog) {
  Verdict verdict{compare(read_golden(golden_folder), surfaces(registry))};
  excuse(verdict.changes, changelog);
  return verdict;
}

}  // namespace gradatim::api::compat
