#include "gradatim/process/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

double on_path(const Path& path, double ratio) {
  const double most = path.at(path.last()).ratio();
  GRADATIM_CHECK(ratio <= most * (1.0 + 1e-12), UsageError, 1110,
                 "the noise level {} is not on the path, whose largest is {}", ratio, most);
  return ratio;
}

}  // namespace

double largest_ratio(const Path& path, double asked) {
  return asked > 0.0 ? on_path(path, asked) : std::min(path.at(path.last()).ratio(), 1e4);
}

double smallest_ratio(const Path& path, double asked) {
  return asked > 0.0 ? on_path(path, asked) : path.at(path.first()).ratio();
}

void check_steps(int steps) {
  GRADATIM_CHECK(steps >= 1, UsageError, 1111, "a grid of {} steps: give at least 1", steps);
}

std::vector<double> log_even(double high, double low, int steps) {
  std::vector<double> ratios;
  for (int i = 0; i <= steps; ++i) {
    const double part = steps == 0 ? 0.0 : static_cast<double>(i) / steps;
    ratios.push_back(std::exp(std::log(high) + part * (std::log(low) - std::log(high))));
  }
  return ratios;
}

std::vector<double> times_of(const Path& path, const std::vector<double>& ratios) {
  check_steps(static_cast<int>(ratios.size()));
  GRADATIM_CHECK(ratios.size() == 1 || ratios.back() < ratios.front(), UsageError, 1110,
                 "the noise levels go the wrong way, from {} to {}; sigma_min is below sigma_max",
                 ratios.front(), ratios.back());
  std::vector<double> times;
  for (const double ratio : ratios) times.push_back(path.time_of(ratio));
  times.push_back(0.0);
  return times;
}

}  // namespace gradatim::process
