// The bins of one feature: how its values become small integers.
//
// Numeric: `cuts` t_1 < ... < t_m; bin(x) is the number of cuts <= x, so that "x < t_j goes left"
// is "bin < j" to the bit. A cut lies half-way between two neighbouring values, as a float32 where
// that still separates them. Categorical: the bin is the category's rank by frequency.
// In both, bin number `bins` holds the missing cells.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/table.h"

namespace gradatim::boost {

struct FeatureBins {
  std::string name;
  data::ColumnType type = data::ColumnType::numeric;
  std::vector<double> cuts;
  std::vector<double> values;           // exact bins only: the value of each bin
  std::vector<std::string> categories;  // in order of bins
  std::int32_t bins = 0;                // of present values; at least 1
  std::vector<std::int32_t> sources;    // the features that it is made from; else empty

  bool categorical() const { return type == data::ColumnType::categorical; }
  std::int32_t missing_bin() const { return bins; }
  /// The bin of a number; NaN is missing.
  std::int32_t bin_of(double x) const;
};

/// A value and the total weight of the rows that have it.
using WeightedValue = std::pair<double, double>;

/// The threshold between two values a < b: a < t <= b, a float32 where one fits.
double threshold_between(double a, double b);

/// Cuts for at most `max_bin` bins over distinct values in ascending order. Where there are more
/// values than bins, heavy values get bins of their own and the rest share equal weight.
std::vector<double> choose_cuts(std::span<const WeightedValue> values, std::int32_t max_bin);

}  // namespace gradatim::boost
