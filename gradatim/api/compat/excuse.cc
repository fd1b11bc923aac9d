// Which breaking changes the changelog owns up to.
#include <algorithm>
#include <cctype>

#include "gradatim/api/compat/compare.h"
#include "gradatim/core/text.h"

namespace gradatim::api::compat {
namespace {

std::vector<std::string> breaking_lines(std::string_view changelog) {
  std::vector<std::string> lines;
  int sections = 0;
  const bool whole = changelog.find("## ") == std::string_view::npos;
  for (const auto& raw : split(changelog, '\n')) {
    if (raw.starts_with("## ")) ++sections;
    if (!whole && sections != 1) continue;
    std::string_view line = trim(raw);
    if (line.starts_with("- ") || line.starts_with("* ")) line.remove_prefix(2);
    if (line.starts_with("BREAKING")) lines.emplace_back(line);
  }
  return lines;
}

// True where `name` stands in the line by itself: "eta" is not named by "beta" or "eta_min".
bool names(std::string_view line, std::string_view name) {
  const auto word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (auto at = line.find(name); at != std::string_view::npos; at = line.find(name, at + 1)) {
    const auto end = at + name.size();
    const bool before = at > 0 && (word(line[at - 1]) || line[at - 1] == '.');
    const bool after =
        end < line.size() &&
        (word(line[end]) || (line[end] == '.' && end + 1 < line.size() && word(line[end + 1])));
    if (!before && !after) return true;
  }
  return false;
}

}  // namespace

void excuse(std::vector<Change>& changes, std::string_view changelog) {
  const auto lines = breaking_lines(changelog);
  for (auto& change : changes) {
    if (!change.breaking || !change.name_kept) continue;
    change.excused = std::ranges::any_of(lines, [&](const auto& line) {
      return names(line, change.component) &&
             (change.subject.empty() || names(line, change.subject));
    });
  }
}

}  // namespace gradatim::api::compat
