// Adds rows of several lanes to a group's cells: a load, an add and a store of a vector each.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/boost/bins/bin_groups.h"
#include "gradatim/boost/bins/binned_data.h"

namespace gradatim::boost {

/// `values` is [rows, lanes]; `cells` begins at the group's first cell. `lanes` is a multiple of 4.
void add_vectors(const BinGroup& group, std::span<const std::uint32_t> rows,
                 const std::int64_t* values, int lanes, std::int64_t* cells);
/// The same for a two-byte feature.
void add_vectors(const BinColumn& column, std::span<const std::uint32_t> rows,
                 const std::int64_t* values, int lanes, std::int64_t* cells);

}  // namespace gradatim::boost
