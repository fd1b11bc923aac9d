#include "gradatim/data/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"
#include "gradatim/data/sparse.h"

namespace gradatim::data {
namespace {

constexpr std::int64_t kBlock = 4096;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The first row whose value satisfies the predicate, or -1.
template <class Predicate>
std::int64_t first_row(const Column& column, Predicate predicate) {
  if (column.sparse() && !predicate(column.absent() == Absent::zero ? 0.0 : kNaN)) {
    std::int64_t first = -1;
    for_entries(column, [&](std::int64_t row, double x) {
      if (first < 0 && predicate(x)) first = row;
    });
    return first;
  }
  std::vector<double> buffer(static_cast<std::size_t>(std::min(kBlock, column.rows())));
  for (std::int64_t begin = 0; begin < column.rows(); begin += kBlock) {
    const auto count = static_cast<std::size_t>(std::min(kBlock, column.rows() - begin));
    const std::span<double> values = std::span(buffer).first(count);
    column.read(begin, values);
    const auto at = std::find_if(values.begin(), values.end(), predicate);
    if (at != values.end()) return begin + (at - values.begin());
  }
  return -1;
}

// Whether a block of a dense column has an infinite cell.
bool any_infinite(const Column& column, std::int64_t begin, std::span<double> buffer) {
  column.read(begin, buffer);
  bool any = false;
  for (const double x : buffer) any |= std::isinf(x);
  return any;
}

std::string place(const Column& column, const std::string& source, std::int64_t row) {
  return fmt::format("{}row {}, column '{}'", source.empty() ? "" : source + ", ", row + 1,
                     column.name());
}

}  // namespace

void check_finite(const Column& column, const std::string& source) {
  if (column.type() != ColumnType::numeric) return;  // no other type has infinities
  const std::int64_t row = first_row(column, [](double x) { return std::isinf(x); });
  GRADATIM_CHECK(row < 0, DataError, 2011,
                 "{}: the value is {}, but only finite numbers can be learned from; correct the "
                 "cell or leave it empty",
                 place(column, source, row), column.cell(row));
}

void check_finite(std::span<const Column> columns, const std::string& source) {
  constexpr std::int64_t kRows = 1024;  // of so many, all columns stay in the cache
  std::vector<std::atomic<bool>> infinite(columns.size());
  parallel_for(columns.empty() ? 0 : columns.front().rows(), kRows,
               [&](std::int64_t begin, std::int64_t end) {
                 double cells[kRows];
                 const std::span buffer(cells, static_cast<std::size_t>(end - begin));
                 for (std::size_t c = 0; c < columns.size(); ++c) {
                   if (columns[c].type() != ColumnType::numeric || columns[c].sparse()) continue;
                   if (any_infinite(columns[c], begin, buffer)) infinite[c] = true;
                 }
               });
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (columns[c].sparse() || infinite[c]) check_finite(columns[c], source);
  }
}

void check_numeric(const Column& column, const std::string& source, std::string_view what,
                   int code) {
  const bool words = column.type() == ColumnType::categorical;
  if (column.rows() == 0 || (!words && column.time_unit() == TimeUnit::none)) return;
  for (std::int64_t row = 0; row < column.rows(); ++row) {
    const std::string cell = column.cell(row);
    if (cell.empty() || (words && parse_number(cell))) continue;
    throw DataError(code, fmt::format("{}: the cell is '{}', and {} are numbers; correct it or "
                                      "name another column",
                                      place(column, source, row), cell, what));
  }
  throw DataError(code,
                  fmt::format("{}column '{}' holds categories, and {} are numbers; convert it",
                              source.empty() ? "" : source + ", ", column.name(), what));
}

void check_no_missing(const Column& column, const std::string& source) {
  const std::int64_t row = first_row(column, [](double x) { return std::isnan(x); });
  GRADATIM_CHECK(row < 0, DataError, 2019,
                 "{}: the cell is missing, but every row needs one here; fill it or leave the row "
                 "out",
                 place(column, source, row));
}

}  // namespace gradatim::data
