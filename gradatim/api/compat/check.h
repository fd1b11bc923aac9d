// The compatibility check as a whole: golden files against what this build exports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/compat/compare.h"
#include "gradatim/api/registry.h"

namespace gradatim::api::compat {

/// The surfaces of all golden files in a folder, by name. GRD-2001 where there is no such folder,
/// GRD-2003 where a file is not golden.
std::vector<Surface> read_golden(const std::string& folder);
/// The surfaces of what is exported now.
std::vector<Surface> surfaces(const Registry& registry);

struct Verdict {
  std::vector<Change> changes;
  /// True where nothing differs; else the golden files are out of date at least.
  bool current() const { return changes.empty(); }
  /// True where no change is breaking without excuse.
  bool compatible() const;
  /// One line a change, breaking ones first, and what to do at the end.
  std::string report() const;
};

Verdict check(const Registry& registry, const std::string& golden_folder,
              std::string_view changelog);

}  // namespace gradatim::api::compat
