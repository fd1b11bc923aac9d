// Cell: what one piece of text in a table is: missing, a number, a date, a code or a word.
//
// The type of a column is the narrowest that holds every one of its cells (narrowest_type). It
// never depends on the order of the rows, nor on how many of them were looked at first.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gradatim/data/table.h"

namespace gradatim::data {

/// One bit a kind of text, so that a column's kinds are a set; a missing cell adds nothing.
enum class CellKind : std::uint16_t {
  missing = 0,
  boolean = 1,      // true, false, in any case
  integer = 2,      // up to 2^53 in magnitude, which a double holds exactly
  big_integer = 4,  // beyond: an identifier rather than a quantity
  decimal = 8,      // 1.5, 1e3, inf
  code = 16,        // digits with leading zeros: 007, 01234
  date = 32,        // 2013-01-31
  timestamp = 64,   // 2013-01-31T05:00:00
  word = 128,
};
using CellKinds = std::uint16_t;

/// "", NA, N/A, n/a, NaN, nan, null, NULL, None, <NA>, #N/A, ?.
bool is_missing_word(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);
/// A decimal number or ±inf; words that a C library takes for numbers ("nan", "0x1") are not.
std::optional<double> parse_cell_number(std::string_view text);
/// Digits only, of which the first of several is a zero.
bool is_code(std::string_view text);

CellKind cell_kind(std::string_view text);

/// A type as schemas spell it.
struct CellType {
  ColumnType type = ColumnType::numeric;
  TimeUnit time_unit = TimeUnit::none;
  bool operator==(const CellType&) const = default;
};

/// The narrowest type that holds these kinds; numeric for a column without any value.
CellType narrowest_type(CellKinds kinds);
/// Whether reading further cells by that type shows each one that changes it. It does not for big
/// integers, which are words until a decimal makes them numbers, nor where there was no value yet.
bool is_settled(CellKinds kinds);

}  // namespace gradatim::data
