// TimeDensity: which times of the path training draws.
#pragma once

#include <string_view>

#include "gradatim/process/path.h"

namespace gradatim::process {

class TimeDensity {
 public:
  using Interface = TimeDensity;
  static constexpr std::string_view kKind = "process.time_density";
  virtual ~TimeDensity() = default;

  /// A time in [first(), last()] of the path from one draw: u uniform in [0, 1), z normal.
  virtual double time(const Path& path, double u, double z) const = 0;
};

}  // namespace gradatim::process
