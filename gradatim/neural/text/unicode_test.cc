#include "gradatim/neural/text/unicode.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/text/pieces.h"

namespace gradatim::neural {
namespace {

TEST(Unicode, KindsAreThoseOfGeneralCategories) {
  for (const char32_t point : {U'a', U'Z', U'\u00E9', U'\u01C5', U'\u02B0', U'\u05D0', U'\u4E09',
                               U'\uAC00', U'\U00010400'}) {
    EXPECT_EQ(kind_of(point), CharacterKind::letter) << std::uint32_t{point};
  }
  for (const char32_t point : {U'7', U'\u00BD', U'\u0663', U'\u2177', U'\U0001D7D8'}) {
    EXPECT_EQ(kind_of(point), CharacterKind::number) << std::uint32_t{point};
  }
  for (const char32_t point : {U'\u0301', U'\u0903', U'\u20DD'}) {
    EXPECT_EQ(kind_of(point), CharacterKind::mark) << std::uint32_t{point};
  }
  for (const char32_t point : {U'!', U'_', U'\u20AC', U'\u200B', U'\u180E', U'\U0001F600', U'\x1C',
                               U'\U0010FFFF', U'\U0003134B'}) {
    EXPECT_EQ(kind_of(point), CharacterKind::other) << std::uint32_t{point};
  }
}

TEST(Unicode, WhiteSpaceIsThatOfTheStandard) {
  std::size_t count = 0;
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (point < 0xD800 || point > 0xDFFF) count += kind_of(point) == CharacterKind::space;
  }
  EXPECT_EQ(count, 25U);
}

TEST(Unicode, LettersThatAreNewerThanTheLibraryAreKnown) {
  for (const char32_t point : {U'\u1C89', U'\uA7CB', U'\U000105C0', U'\U00010D4A', U'\U00010D65',
                               U'\U00013460', U'\U000143FA', U'\U0002EBF0', U'\U0002EE5D'}) {
    EXPECT_EQ(kind_of(point), CharacterKind::letter) << std::uint32_t{point};
  }
  EXPECT_EQ(kind_of(U'\U0001E5F5'), CharacterKind::number);
  EXPECT_NE(kind_of(U'\U0002EE5E'), CharacterKind::letter);
  EXPECT_EQ(normalised("\u1C89\U00010D50\U00010D65", true), "\u1C8A\U00010D70\U00010D85");
  EXPECT_EQ(normalised("\U00016EA0\U00016EB8\uA7CC", true), "\U00016EBB\U00016ED3\uA7CD");
}

TEST(Unicode, WhatLooksTheSameIsSpelledTheSame) {
  for (const char* text : {"\u00C5", "A\u030A", "\u212B"}) {
    EXPECT_EQ(normalised(text, false), "\u00C5");
    EXPECT_EQ(normalised(text, true), "\u00E5");
  }
  EXPECT_EQ(normalised("q\u0307\u0323", false), "q\u0323\u0307");
  EXPECT_EQ(normalised("\u1112\u1161\u11AB", false), "\uD55C");
  EXPECT_EQ(normalised("\uFB01\u00B2", false), "\uFB01\u00B2");  // only what is the same: no NFKC
}

TEST(Unicode, TheFirstByteThatIsNoTextIsNamed) {
  try {
    normalised("ab\xC0\x80", false);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_EQ(error.message(), "a text is not UTF-8 from byte 2 on (0xc0)");
  }
}

TEST(Unicode, LowerCaseKnowsNoLanguage) {
  EXPECT_EQ(normalised("\u0130I\u03A3\u03A3 \u1E9E\u01C5", true),
            "i\u0307i\u03C3\u03C3 \u00DF\u01C6");
}

TEST(Unicode, WhiteSpaceIsOneBlank) {
  EXPECT_EQ(normalised("\t a\u00A0\u3000\r\nb\u2028", false), " a b ");
  EXPECT_EQ(normalised("a\u200Bb", false), "a\u200Bb");
}

TEST(ClipPieces, AreCutAsTheExpressionSays) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(clip_pieces("it's 42 \u00BDx!"), (Pieces{"it", "'s", "4", "2", "\u00BD", "x", "!"}));
  EXPECT_EQ(clip_pieces("?'s ''s 'lla 'l"), (Pieces{"?'", "s", "''", "s", "'ll", "a", "'", "l"}));
  EXPECT_EQ(clip_pieces("a\u0301b"), (Pieces{"a", "\u0301", "b"}));
  EXPECT_EQ(clip_pieces("a<|endoftext|>!"), (Pieces{"a", "<|", "endoftext", "|>", "!"}));
  EXPECT_EQ(clip_pieces("!<|endoftext|>!"), (Pieces{"!<|", "endoftext", "|>!"}));
  EXPECT_EQ(clip_pieces("  "), Pieces{});
}

}  // namespace
}  // namespace gradatim::neural
