#include "gradatim/process/grid.h"

#include <algorithm>

namespace gradatim::process {

double largest_ratio(const Path& path, double asked) {
  return asked > 0.0 ? asked : std::min(path.at(path.last()).ratio(), 1e4);
}

double smallest_ratio(const Path& path, double asked) {
  return asked > 0.0 ? asked : path.at(path.first()).ratio();
}

std::vector<double> times_of(const Path& path, const std::vector<double>& ratios) {
  std::vector<double> times;
  for (const double ratio : ratios) times.push_back(path.time_of(ratio));
  times.push_back(0.0);
  return times;
}

}  // namespace gradatim::process
