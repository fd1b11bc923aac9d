#include "gradatim/data/csv_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::data {
namespace {

// Skips what is ASCII eight bytes at a time, which is nearly everything in most tables.
std::size_t ascii_prefix(std::string_view bytes) {
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + i, 8);
    if ((word & 0x8080808080808080ULL) != 0) break;
  }
  return i;
}

// The first place at or behind `at` where a character can begin; none has more than three bytes
// behind its first.
std::size_t character_start(std::string_view bytes, std::size_t at) {
  const std::size_t last = std::min(bytes.size(), at + 3);
  if (at == 0) return 0;
  while (at < last && (static_cast<unsigned char>(bytes[at]) & 0xC0) == 0x80) ++at;
  return at;
}

std::int64_t line_of(std::string_view bytes, std::size_t at) {
  return 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(at), '\n');
}

}  // namespace

void check_text_mark(std::string_view bytes, const std::string& path) {
  const auto mark = bytes.substr(0, 2);
  GRADATIM_CHECK(mark != "\xFF\xFE" && mark != "\xFE\xFF", DataError, 2007,
                 "{} is UTF-16 text; save it as UTF-8", path);
}

void check_utf8(std::string_view bytes, TextPart part, const std::string& path) {
  const std::size_t from = character_start(bytes, part.from);
  const std::size_t to = character_start(bytes, part.to);
  if (from >= to) return;
  const auto own = bytes.substr(from, to - from);
  const std::size_t start = ascii_prefix(own);
  const auto bad = invalid_utf8(own.substr(start));
  if (!bad) return;
  const std::size_t at = from + start + *bad;
  throw DataError(
      2007,
      fmt::format("{}, line {}: byte 0x{:02X} at offset {} is not UTF-8; save the file as UTF-8",
                  path, line_of(bytes, at), static_cast<unsigned char>(bytes[at]), at));
}

void check_no_nul(std::string_view bytes, TextPart part, const std::string& path) {
  const auto at = bytes.substr(0, part.to).find('\0', part.from);
  GRADATIM_CHECK(at == std::string_view::npos, DataError, 2007,
                 "{}, line {}: a NUL byte at offset {}; a text table has none", path,
                 line_of(bytes, at), at);
}

void check_text(std::string_view bytes, const std::string& path) {
  check_text_mark(bytes, path);
  check_utf8(bytes, {0, bytes.size()}, path);
  check_no_nul(bytes, {0, bytes.size()}, path);
}

}  // namespace gradatim::data
