// Grid: the times that sampling stops at, from noise to data.
#pragma once

#include <string_view>
#include <vector>

#include "gradatim/process/path.h"

namespace gradatim::process {

class Grid {
 public:
  using Interface = Grid;
  static constexpr std::string_view kKind = "process.grid";
  virtual ~Grid() = default;

  /// steps + 1 falling times of the path, the last one 0. A given grid has its own number of steps
  /// and may rise again.
  virtual std::vector<double> times(const Path& path, int steps) const = 0;
};

/// sigma / alpha that a grid in noise levels starts from: the one asked for where it is above 0,
/// else the path's largest, held to 1e4 where that is infinite. UsageError GRD-1110 where the level
/// is not on the path.
double largest_ratio(const Path& path, double asked);
/// And where it ends before the step to 0: the path's at first() where none is asked for.
double smallest_ratio(const Path& path, double asked);
/// UsageError GRD-1111 where a grid is to have no step.
void check_steps(int steps);
/// steps + 1 noise levels, even in their logarithm.
std::vector<double> log_even(double high, double low, int steps);
/// The times of falling noise levels, and 0 behind them.
std::vector<double> times_of(const Path& path, const std::vector<double>& ratios);

}  // namespace gradatim::process
