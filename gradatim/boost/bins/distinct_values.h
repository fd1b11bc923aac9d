// The distinct values of a column with their weights, from which boundaries of bins are chosen.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

/// The rows that boundaries are read from, and what sparse columns want to know about them.
struct QuantileSample {
  std::vector<std::int64_t> rows;       // ascending
  std::vector<std::uint8_t> chosen;     // a byte a row of the table; empty where all are
  std::vector<std::int64_t> by_weight;  // the same rows by rising weight; empty without weights
};

/// Adds to the rows of a sample what sparse columns need.
QuantileSample sample_of(std::vector<std::int64_t> rows, std::int64_t table_rows,
                         std::span<const float> weight);

/// Present values of the sampled rows in ascending order, each with its total weight; -0 is +0. A
/// sparse column gives the very numbers that it gives written out.
std::vector<WeightedValue> distinct_values(const data::Column& column,
                                           std::span<const float> weight,
                                           const QuantileSample& sample);

}  // namespace gradatim::boost
