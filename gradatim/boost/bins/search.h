// Finds the bins of many values at once.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::boost {

/// Cuts padded with infinity to 2^k - 1, so that every search takes the same k steps.
class CutSearch {
 public:
  explicit CutSearch(std::span<const double> cuts);

  /// out[i] = number of cuts <= x[i]; `missing` where x[i] is NaN. Returns whether any was NaN.
  bool find(std::span<const double> x, std::int32_t missing, std::int32_t* out) const;

 private:
  std::vector<double> padded_;
  std::int32_t count_;
};

/// Sorts in place, ascending; no NaN among them.
void sort_ascending(std::span<double> values);

}  // namespace gradatim::boost
