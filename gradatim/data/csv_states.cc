#include "gradatim/data/csv_states.h"

#include <algorithm>

namespace gradatim::data {
namespace {

enum class Byte : std::uint8_t { other, blank, quote, separator, line_end };

using enum CsvState;

// [byte][state]
constexpr CsvStates kNext[] = {
    {plain, plain, quoted, bad, bad, bad},        // other
    {field, plain, quoted, closed, closed, bad},  // blank
    {quoted, plain, quote, quoted, bad, bad},     // quote
    {field, field, quoted, field, field, bad},    // separator
    {field, field, quoted, field, field, bad},    // line end
};

class Bytes {
 public:
  explicit Bytes(CsvDialect dialect) {
    for (const char blank : {' ', '\t', '\r'}) kind(blank) = Byte::blank;
    kind('"') = Byte::quote;
    kind(dialect.separator) = Byte::separator;
    kind(dialect.line_end) = Byte::line_end;
  }
  Byte operator()(char c) const { return kinds_[static_cast<unsigned char>(c)]; }

 private:
  Byte& kind(char c) { return kinds_[static_cast<unsigned char>(c)]; }

  std::array<Byte, 256> kinds_{};
};

CsvState after(CsvState state, Byte byte) {
  return kNext[static_cast<std::size_t>(byte)][static_cast<std::size_t>(state)];
}

}  // namespace

CsvStates csv_states_through(CsvDialect dialect, std::string_view bytes) {
  const Bytes kind_of(dialect);
  CsvStates states{field, plain, quoted, quote, closed, bad};
  Byte last = Byte::blank;
  for (const char c : bytes) {
    const Byte byte = kind_of(c);
    // A second such byte in a row changes nothing.
    if (byte == Byte::other && last == Byte::other) continue;
    last = byte;
    for (auto& state : states) state = after(state, byte);
  }
  return states;
}

std::size_t next_record(CsvDialect dialect, std::string_view bytes, std::size_t at,
                        CsvState state) {
  const Bytes kind_of(dialect);
  if (state == field && at > 0 && kind_of(bytes[at - 1]) == Byte::line_end) return at;
  while (at < bytes.size() && state != bad) {
    const Byte byte = kind_of(bytes[at++]);
    state = after(state, byte);
    if (byte == Byte::line_end && state == field) return at;
  }
  return bytes.size();
}

}  // namespace gradatim::data
