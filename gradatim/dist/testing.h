// Helpers of the unit tests in this folder.
#pragma once

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"
#include "gradatim/data/testing.h"
#include "gradatim/dist/group.h"

namespace gradatim::dist {

/// What tells two tables apart, in words; empty where nothing does. Cells are compared to the bit.
inline std::string difference(const data::Table& a, const data::Table& b) {
  if (a.rows() != b.rows()) return fmt::format("{} and {} rows", a.rows(), b.rows());
  if (a.columns().size() != b.columns().size()) return "another number of columns";
  for (std::size_t c = 0; c < a.columns().size(); ++c) {
    const data::Column &left = a.columns()[c], &right = b.columns()[c];
    if (left.name() != right.name()) return left.name() + " and " + right.name();
    const auto what = [&](const char* differs) {
      return fmt::format("{} of {}", differs, left.name());
    };
    if (data::type_name(data::schema_of(left).cell_type()) !=
        data::type_name(data::schema_of(right).cell_type())) {
      return what("type");
    }
    if (left.absent() != right.absent()) return what("absent");
    if (left.categories() != right.categories()) return what("categories");
    if (data::testing::cells(left) != data::testing::cells(right)) return what("cells");
    const auto x = data::testing::numbers(left), y = data::testing::numbers(right);
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (x[i] == x[i] && std::bit_cast<std::int64_t>(x[i]) != std::bit_cast<std::int64_t>(y[i])) {
        return what("numbers");
      }
    }
  }
  return {};
}

/// This rank's part of the rows.
inline data::Table rows_of(const data::Table& whole, const Group& group) {
  const auto first = whole.rows() * group.rank() / group.size();
  const auto last = whole.rows() * (group.rank() + 1) / group.size();
  std::vector<std::int64_t> rows(last - first);
  std::iota(rows.begin(), rows.end(), first);
  return whole.take(rows);
}

}  // namespace gradatim::dist
