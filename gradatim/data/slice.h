// slice: some rows of a table in one run, where they lie.
#pragma once

#include <cstdint>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// Rows [begin, begin + count). Cells are shared, and so their owner keeps those of all rows; the
/// entries of sparse columns are copied.
Table slice(const Table& table, std::int64_t begin, std::int64_t count);

}  // namespace gradatim::data
