// Adds rows of several lanes to a group's cells: a load, an add and a store of a vector each.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/boost/bins/bin_groups.h"
#include "gradatim/boost/bins/binned_data.h"

namespace gradatim::boost {

/// Rows of lanes in fewer bits: an int32 a lane, or, packed, an int16 of each half of the lane.
struct LaneRows {
  const std::int32_t* words = nullptr;  // [rows, lanes]
  int lanes = 4;                        // a multiple of 4
  bool packed = false;
};

/// Adds rows to a group's cells, of which the first is `cells`.
void add_vectors(const BinGroup& group, std::span<const std::uint32_t> rows, const LaneRows& values,
                 std::int64_t* cells);
/// The same for a two-byte feature.
void add_vectors(const BinColumn& column, std::span<const std::uint32_t> rows,
                 const LaneRows& values, std::int64_t* cells);
/// The same for one cell of all rows.
void add_vectors(std::span<const std::uint32_t> rows, const LaneRows& values, std::int64_t* cell);

}  // namespace gradatim::boost
