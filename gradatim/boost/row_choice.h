// Which rows a member is fitted to: an ascending list, of which an empty one is every row. Only
// where there are several ranks may a part of the rows have none among those that were drawn.
#pragma once

#include <cstdint>
#include <span>

namespace gradatim::boost {

inline constexpr std::uint32_t kNowhere = 0;

/// The list that has no row.
inline std::span<const std::uint32_t> no_row() { return {&kNowhere, 0}; }
inline bool is_every_row(std::span<const std::uint32_t> rows) {
  return rows.empty() && rows.data() != &kNowhere;
}

}  // namespace gradatim::boost
