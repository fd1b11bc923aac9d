// BinColumn: one feature's bins of every row.
#pragma once

#include <cstdint>
#include <vector>

namespace gradatim::boost {

/// In one, two or four bytes.
struct BinColumn {
  static constexpr std::int64_t kPadding = 3;  // bytes that a four-byte read of a bin may touch

  int width = 1;
  std::vector<std::uint8_t> bytes;  // [rows * width + kPadding]

  template <class Bin>
  const Bin* as() const {
    return reinterpret_cast<const Bin*>(bytes.data());
  }
  std::int32_t at(std::int64_t row) const;
};

/// Calls `f(const Bin*)` with the column's own type.
template <class F>
auto visit_column(const BinColumn& column, F&& f) {
  if (column.width == 1) return f(column.as<std::uint8_t>());
  if (column.width == 2) return f(column.as<std::uint16_t>());
  return f(column.as<std::uint32_t>());
}

}  // namespace gradatim::boost
