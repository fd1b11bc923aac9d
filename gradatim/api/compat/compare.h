// Compatible or breaking: what changed between two public surfaces.
//
//  compatible  added, widened, deprecated, another alias: whoever used the old one can go on
//  breaking    removed, renamed, retyped, narrowed, another default, a new required argument
//
// A breaking change is excused where the changelog's first section has a line that begins with
// BREAKING and names the export (and the setting or part), and, for a name that went away, where
// the old name still works: as an alias, or because it had been deprecated before.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/compat/surface.h"

namespace gradatim::api::compat {

struct Change {
  std::string component;  // canonical name, the old one where it was renamed
  std::string subject;    // a setting, part, alias; empty for the export itself
  std::string what;       // "added", "removed", "renamed", "narrowed", ...
  bool breaking = false;
  bool name_kept = true;  // false where a name went away that had not been deprecated
  std::string sentence;   // "boost.newton: setting 'eta' was removed"
  bool excused = false;   // set by excuse()
};

/// Every change from `old` to `fresh`, by the names of exports.
std::vector<Change> compare(std::span<const Surface> old, std::span<const Surface> fresh);
/// The changes of one export that kept its name.
std::vector<Change> compare(const Surface& old, const Surface& fresh);
/// Marks the breaking changes that the changelog excuses.
void excuse(std::vector<Change>& changes, std::string_view changelog);

}  // namespace gradatim::api::compat
