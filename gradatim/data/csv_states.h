// CsvState: where in a record of delimited text a byte stands, by the bytes before it.
//
// A quote opens a field only at the field's start, so that counting quotes does not tell whether a
// line end ends a record. What tells is which of a few states the text before has led to. A part of
// a file that knows nothing of that text follows all of them at once (csv_states_through); when
// what came before has told its end, one of them was right, and records can be told from lines. The
// rules are those of CsvScanner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gradatim::data {

enum class CsvState : std::uint8_t {
  field,   // at the start of a field, perhaps behind blanks
  plain,   // in a field without quotes
  quoted,  // between quotes
  quote,   // behind a quote that closes the field or is the first half of a doubled one
  closed,  // behind a quoted field and blanks
  bad,     // behind text that follows a quoted field; CsvScanner refuses it
};

/// By the state in front of some bytes, the state behind them.
using CsvStates = std::array<CsvState, 6>;

/// How fields and lines end.
struct CsvDialect {
  char separator = ',';
  char line_end = '\n';
};

CsvStates csv_states_through(CsvDialect dialect, std::string_view bytes);

/// Where the first record at or behind `at` begins, if `state` is the one in front of it; the size
/// of `bytes` where none does.
std::size_t next_record(CsvDialect dialect, std::string_view bytes, std::size_t at, CsvState state);

}  // namespace gradatim::data
