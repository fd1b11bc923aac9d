#include "gradatim/neural/text/word_codec.h"

#include <gtest/gtest.h>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/neural/text/pieces.h"
#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {
namespace {

using Texts = std::vector<std::string>;

std::shared_ptr<const TextCodec> trained(const Texts& texts,
                                         const std::vector<api::Option>& options = {}) {
  const auto settings = api::parse_settings("neural.tokenizer.words", options);
  return api::build_as<Tokenizer>(settings)->train(texts);
}

std::string message(const TextCodec& codec, const std::string& text) {
  try {
    codec.encode(text);
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1177);
    return error.message();
  }
  return "";
}

TEST(WordPieces, AreWordsWithTheirApostrophesAndSingleMarks) {
  const std::vector<std::string_view> expected = {
      "don't", "say", "'", "7th", "'", ",", "!", "!", "na\u00EFve", "o\u2019clock", "q\u0323", "'"};
  EXPECT_EQ(word_pieces("don't say '7th',!! na\u00EFve o\u2019clock q\u0323'"), expected);
}

TEST(WordCodec, WordsAreNumberedByTheirFrequencyThenByTheirBytes) {
  const auto codec = trained({"b a, c", "C a", "d"});
  EXPECT_EQ(codec->vocabulary(), 7);  // begin, end, a, c, ",", b, d
  EXPECT_EQ(codec->tokens("a c , b d"), (std::vector<std::int64_t>{2, 3, 4, 5, 6}));
}

TEST(WordCodec, OnlyTheMostFrequentWordsAreKept) {
  const std::vector<std::string> texts = {"b a, c", "C a", "d"};
  const auto codec = trained(texts, {{"vocabulary", "5"}, {"unknown", "true"}});
  EXPECT_EQ(codec->vocabulary(), 5);
  EXPECT_EQ(codec->decode(codec->tokens("c a")), "c a");
  EXPECT_EQ(codec->tokens("b"), codec->tokens("d"));
  // Without a token for what is not kept, its own texts could not be read.
  EXPECT_THROW(trained(texts, {{"vocabulary", "4"}}), UsageError);
  EXPECT_EQ(trained(texts, {{"vocabulary", "7"}})->vocabulary(), 7);
}

TEST(WordCodec, AnUnknownWordIsNamedWithTheNearestThatIsKnown) {
  const auto codec = trained({"a handwritten seven"});
  EXPECT_EQ(message(*codec, "a sevne"),
            "the word 'sevne' is not among the 3 that were learned; did you mean 'seven'?");
  EXPECT_EQ(message(*codec, "Zwei"), "the word 'zwei' is not among the 3 that were learned");
  EXPECT_LT(message(*codec, std::string(99'999, 'x')).size(), 200U);
  // Long words are cut between characters.
  const std::string cut = message(*codec, std::string(39, 'x') + "\u4E09\u4E09");
  EXPECT_EQ(cut.find("\u4E09"), std::string::npos);
  EXPECT_FALSE(invalid_utf8(cut));
}

TEST(WordCodec, WordsMayBeUnknown) {
  const auto codec = trained({"a handwritten seven"}, {{"unknown", "true"}});
  EXPECT_EQ(codec->tokens("a nine"), (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(codec->normal("A nine"), "a <|unknown|>");
  EXPECT_EQ(codec->decode(codec->encode("A nine")), "a <|unknown|>");
}

TEST(WordCodec, ACapitalIsTheSameWordHoweverItIsSpelled) {
  const auto codec = trained({"\u01F0 \u00E9t\u00E9"});
  EXPECT_EQ(codec->tokens("J\u030C \u00C9TE\u0301"), (std::vector<std::int64_t>{3, 2}));
}

TEST(WordCodec, CapitalsMayBeKept) {
  const auto codec = trained({"A a"}, {{"lower_case", "false"}});
  EXPECT_EQ(codec->vocabulary(), 4);
  EXPECT_EQ(codec->decode(codec->tokens("a A")), "a A");
}

}  // namespace
}  // namespace gradatim::neural
