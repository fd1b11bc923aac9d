// Text as characters of Unicode: what kind each one is, and one spelling of what looks the same.
//
// By utf8proc, and for what Unicode 15.1 to 17 added by a table of our own, so that a text is cut
// the same whichever version of utf8proc is installed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace gradatim::neural {

/// By general category: L, N, M, White_Space, and all else.
enum class CharacterKind { letter, number, mark, space, other };
CharacterKind kind_of(char32_t point);

struct Character {
  char32_t point = 0;
  std::size_t length = 0;  // bytes
  CharacterKind kind = CharacterKind::other;
};
/// The character that begins at byte `at` of valid UTF-8.
Character character_at(std::string_view text, std::size_t at);

/// DataError GRD-2096 where it is not UTF-8, GRD-2097 where it has more than 100,000 bytes: putting
/// marks in order takes time that grows with the square.
void check_text(std::string_view text);

/// Composed (NFC), every run of white space as one blank, and perhaps in lower case, character by
/// character as Unicode has it without a language. Errors of check_text().
std::string normalised(std::string_view text, bool lower_case);

}  // namespace gradatim::neural
