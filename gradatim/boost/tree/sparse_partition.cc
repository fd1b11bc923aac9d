#include "gradatim/boost/tree/sparse_partition.h"

#include <algorithm>

#include "gradatim/boost/tree/partition.h"

namespace gradatim::boost {

std::int64_t separate_sparse_rows(const SparseColumn& column,
                                  std::span<const std::uint8_t> left_bins,
                                  std::span<const std::uint32_t> rows, std::uint32_t* out) {
  if (rows.empty()) return 0;
  std::uint8_t goes_left[kSeparateRows];
  std::fill_n(goes_left, rows.size(), left_bins[column.default_bin]);
  const auto first = std::lower_bound(column.rows.begin(), column.rows.end(), rows.front());
  const auto last = std::upper_bound(first, column.rows.end(), rows.back());
  auto side = [&](auto entry) { return left_bins[column.bins[entry - column.rows.begin()]]; };
  // The shorter list is looked up in the longer one.
  if (static_cast<std::size_t>(last - first) <= rows.size()) {
    auto row = rows.begin();
    for (auto entry = first; entry != last; ++entry) {
      row = std::lower_bound(row, rows.end(), *entry);
      if (*row == *entry) goes_left[row - rows.begin()] = side(entry);
    }
  } else {
    auto entry = first;
    for (std::size_t i = 0; i < rows.size() && entry != last; ++i) {
      entry = std::lower_bound(entry, last, rows[i]);
      if (entry != last && *entry == rows[i]) goes_left[i] = side(entry);
    }
  }
  std::uint32_t right_rows[kSeparateRows];
  std::int64_t left = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t row = rows[i];
    right_rows[static_cast<std::int64_t>(i) - left] = row;
    out[left] = row;
    left += goes_left[i];
  }
  std::copy_n(right_rows, static_cast<std::int64_t>(rows.size()) - left, out + left);
  return left;
}

}  // namespace gradatim::boost
