// Which rows of a node go left by a sparse feature: all as the default bin does, but for entries.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/boost/bins/sparse_bins.h"

namespace gradatim::boost {

/// As separate_rows() (partition.h); `rows` ascend and are at most kSeparateRows.
std::int64_t separate_sparse_rows(const SparseColumn& column,
                                  std::span<const std::uint8_t> left_bins,
                                  std::span<const std::uint32_t> rows, std::uint32_t* out);

}  // namespace gradatim::boost
