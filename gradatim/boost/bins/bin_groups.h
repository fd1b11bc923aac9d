// BinGroup: a row-major copy of up to 16 one-byte features, what a histogram kernel takes at a
// time.
//
// A row of a group is 4, 8, 12 or 16 bytes, and each of its features has `stride` cells, both
// constants of the kernel. So bins are read four at a time, addresses need no table, and the cells
// of a group stay in the first-level cache however many features there are.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace gradatim::boost {

struct BinGroup {
  static constexpr int kMostFeatures = 16;
  static constexpr int kStrides[] = {4, 32, 128, 256};

  std::vector<std::int32_t> features;  // or bundles: positions of the table
  int positions = 0;                   // bytes a row: the features, rounded up to a multiple of 4
  int stride = 0;                      // cells a feature, one of kStrides
  std::int64_t first_cell = 0;         // of the node's histogram
  std::vector<std::uint8_t> bins;      // [rows, positions]

  std::int64_t cells() const { return std::int64_t{positions} * stride; }
};

/// Groups of the positions (features or bundles) that take one byte, by number of cells and then in
/// their own order; bins are empty. A position without cells is in no group.
std::vector<BinGroup> group_positions(std::span<const std::int32_t> cells);

}  // namespace gradatim::boost
