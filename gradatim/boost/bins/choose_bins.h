// Reads a column and decides its bins.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/bins/distinct_values.h"

namespace gradatim::boost {

/// The rows that boundaries are read from: all, or the `options.sample_rows` smallest hashes of
/// (seed, row), in order of rows.
std::vector<std::int64_t> quantile_rows(std::int64_t rows, const BinOptions& options);

/// The same of a part of all ranks' rows: which of its rows are among the smallest hashes of all.
std::vector<std::int64_t> quantile_rows_of_ranks(std::int64_t rows, const BinOptions& options);

/// The categories of a column in order of bins: those of `known` (may be null), then the others by
/// falling weight over all ranks; the rarest of more than two bytes can count are left out.
std::vector<std::string> categories_of(const data::Column& column, std::span<const float> weight,
                                       const data::Schema* known, const dist::Shard& shard = {});

/// The bins of one column, all of whose cells are finite or missing; of a categorical one see
/// categories_of().
FeatureBins choose_bins(const data::Column& column, std::span<const float> weight,
                        const QuantileSample& sample, const BinOptions& options);

}  // namespace gradatim::boost
