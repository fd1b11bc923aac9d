#include "gradatim/neural/text/unicode.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::neural {
namespace {

constexpr std::size_t kMostBytes = 100'000;

struct KindRange {
  char32_t first, last;
  CharacterKind kind;
};
// Letters and numbers of Unicode 15.1 and 16; utf8proc 2.8 knows those of 15.
constexpr KindRange kNewer[] = {
    {0x1C89, 0x1C8A, CharacterKind::letter},   {0xA7CB, 0xA7CD, CharacterKind::letter},
    {0xA7DA, 0xA7DC, CharacterKind::letter},   {0x105C0, 0x105F3, CharacterKind::letter},
    {0x10D40, 0x10D49, CharacterKind::number}, {0x10D4A, 0x10D65, CharacterKind::letter},
    {0x10D6F, 0x10D85, CharacterKind::letter}, {0x10EC2, 0x10EC4, CharacterKind::letter},
    {0x11380, 0x11389, CharacterKind::letter}, {0x1138B, 0x1138B, CharacterKind::letter},
    {0x1138E, 0x1138E, CharacterKind::letter}, {0x11390, 0x113B5, CharacterKind::letter},
    {0x113B7, 0x113B7, CharacterKind::letter}, {0x113D1, 0x113D1, CharacterKind::letter},
    {0x113D3, 0x113D3, CharacterKind::letter}, {0x116D0, 0x116E3, CharacterKind::number},
    {0x11BC0, 0x11BE0, CharacterKind::letter}, {0x11BF0, 0x11BF9, CharacterKind::number},
    {0x13460, 0x143FA, CharacterKind::letter}, {0x16100, 0x1611D, CharacterKind::letter},
    {0x16130, 0x16139, CharacterKind::number}, {0x16D40, 0x16D6C, CharacterKind::letter},
    {0x16D70, 0x16D79, CharacterKind::number}, {0x18CFF, 0x18CFF, CharacterKind::letter},
    {0x1CCF0, 0x1CCF9, CharacterKind::number}, {0x1E5D0, 0x1E5ED, CharacterKind::letter},
    {0x1E5F0, 0x1E5F0, CharacterKind::letter}, {0x1E5F1, 0x1E5FA, CharacterKind::number},
    {0x2EBF0, 0x2EE5D, CharacterKind::letter},
};

struct LowerRange {
  char32_t first, last, lower;  // of first
};
constexpr LowerRange kNewerLower[] = {
    {0x1C89, 0x1C89, 0x1C8A},    {0xA7CB, 0xA7CB, 0x0264}, {0xA7CC, 0xA7CC, 0xA7CD},
    {0xA7CE, 0xA7CE, 0xA7CF},    {0xA7D2, 0xA7D2, 0xA7D3}, {0xA7D4, 0xA7D4, 0xA7D5},
    {0xA7DA, 0xA7DA, 0xA7DB},    {0xA7DC, 0xA7DC, 0x019B}, {0x10D50, 0x10D65, 0x10D70},
    {0x16EA0, 0x16EB8, 0x16EBB},
};

template <class Range, std::size_t N>
const Range* range_of(const Range (&ranges)[N], char32_t point) {
  const auto* found = std::ranges::lower_bound(ranges, point, {}, &Range::last);
  return found != std::end(ranges) && found->first <= point ? found : nullptr;
}

char32_t lower(char32_t point) {
  if (const auto* range = range_of(kNewerLower, point)) return range->lower + point - range->first;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(point)));
}

void append(std::string& text, char32_t point) {
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(point), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

std::string composed(std::string_view text) {
  utf8proc_uint8_t* bytes = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &bytes,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(bytes, &std::free);
  GRADATIM_CHECK(size >= 0, DataError, 2096, "a text cannot be composed: {}",
                 utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

}  // namespace

CharacterKind kind_of(char32_t point) {
  if (const auto* newer = range_of(kNewer, point)) return newer->kind;
  if ((point >= 0x09 && point <= 0x0D) || point == 0x85) return CharacterKind::space;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(point))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return CharacterKind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return CharacterKind::number;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: return CharacterKind::mark;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return CharacterKind::space;
    default: return CharacterKind::other;
  }
}

Character character_at(std::string_view text, std::size_t at) {
  utf8proc_int32_t point = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                       static_cast<utf8proc_ssize_t>(text.size() - at), &point);
  const auto found = static_cast<char32_t>(point);
  return {found, static_cast<std::size_t>(length), kind_of(found)};
}

void check_text(std::string_view text) {
  GRADATIM_CHECK(text.size() <= kMostBytes, DataError, 2097, "a text has {} bytes; it may have {}",
                 text.size(), kMostBytes);
  const auto invalid = invalid_utf8(text);
  GRADATIM_CHECK(!invalid, DataError, 2096, "a text is not UTF-8 from byte {} on (0x{:02x})",
                 *invalid, static_cast<unsigned char>(text[*invalid]));
}

std::string normalised(std::string_view text, bool lower_case) {
  check_text(text);
  const std::string whole = composed(text);
  std::string result;
  result.reserve(whole.size());
  bool blank = false;
  for (std::size_t at = 0; at < whole.size();) {
    const Character next = character_at(whole, at);
    at += next.length;
    const bool space = next.kind == CharacterKind::space;
    if (space && !blank) result += ' ';
    blank = space;
    if (space) continue;
    // The one character whose lower case is two without a language: I with a dot above.
    if (lower_case && next.point == 0x130) {
      result += "i\xCC\x87";
    } else {
      append(result, lower_case ? lower(next.point) : next.point);
    }
  }
  return result;
}

}  // namespace gradatim::neural
