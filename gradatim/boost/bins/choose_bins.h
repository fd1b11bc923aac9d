// Reads a column and decides its bins.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/bins/distinct_values.h"

namespace gradatim::boost {

/// The rows that boundaries are read from: all, or the `options.sample_rows` smallest hashes of
/// (seed, row), in order of rows.
std::vector<std::int64_t> quantile_rows(std::int64_t rows, const BinOptions& options);

/// The bins of one column. DataError GRD-2011 where a cell is infinite.
FeatureBins choose_bins(const data::Column& column, std::span<const float> weight,
                        const QuantileSample& sample, const BinOptions& options,
                        const std::string& source);

}  // namespace gradatim::boost
