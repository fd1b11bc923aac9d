// The public surface of one export, read back from its golden file.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/api/value.h"

namespace gradatim::api::compat {

struct SettingSurface {
  std::string name;
  std::string type;                   // "integer", "real", "flag", "choice"
  std::optional<long long> capacity;  // of a list
  std::vector<std::string> choices;
  Range range;
  std::string initial, unit, deprecated;
  std::vector<std::string> aliases;
};

struct PartSurface {
  std::string name, kind, initial;
};

struct Surface {
  std::string name, kind, since, deprecated, python;
  std::vector<std::string> aliases, arguments, errors;
  std::vector<SettingSurface> settings;
  std::vector<PartSurface> parts;
};

/// Reads what golden_text() wrote. GRD-2003 with `path` and the line where it is not that.
Surface read_surface(std::string_view text, const std::string& path);
/// "(0, 1]" and back.
std::optional<Range> read_range(std::string_view text);

}  // namespace gradatim::api::compat
