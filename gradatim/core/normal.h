// Normal numbers from Philox by Box and Muller's transform: pure functions of (seed, stream, minor,
// index), the same bits on every machine.
//
// A block of 128 bits gives four: with u, v uniform in (0, 1) and [0, 1) from 32 bits each,
// sqrt(-2 ln u) cos(2 pi v) and sqrt(-2 ln u) sin(2 pi v). The largest is 6.8.
#pragma once

#include <cstdint>
#include <span>

#include "gradatim/core/philox.h"

namespace gradatim {

/// Normals number `first`, first + 1, ... of these draws; `first` is a multiple of 4.
void normals(const Philox& draws, std::uint64_t first, std::span<double> out);

/// Rows `first_row`, first_row + 1, ... of `dims` numbers [rows, dims]; each begins a block, so
/// that a row is the same whatever else is drawn.
void normal_rows(const Philox& draws, std::uint64_t first_row, std::size_t dims,
                 std::span<double> out);

}  // namespace gradatim
