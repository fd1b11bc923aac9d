#include "gradatim/neural/text/prompt.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/text/byte_codec.h"
#include "gradatim/neural/text/prompt_syntax.h"

namespace gradatim::neural {
namespace {

using Ids = std::vector<std::int64_t>;
using Weights = std::vector<float>;

// Single bytes as tokens: a word of one letter is one token.
const ByteCodec& codec() {
  static const ByteCodec made = [] {
    BytePairs pairs{.tokens = byte_symbols(), .merges = {}};
    pairs.tokens.emplace_back(kBeginToken);
    pairs.tokens.emplace_back(kEndToken);
    return ByteCodec(pairs, "test");
  }();
  return made;
}

std::string shown(const std::vector<PromptPart>& parts) {
  std::string all;
  for (const auto& part : parts) {
    char weight[32];
    std::snprintf(weight, sizeof(weight), "%.4g", part.weight);
    all += (part.new_chunk ? "/" : "") + ("{" + part.text + "}" + weight);
  }
  return all;
}

std::string parsed(std::string_view text) { return shown(parse_prompt(text)); }

std::string refusal(std::string_view text) {
  try {
    parse_prompt(text);
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "no error";
}

// "a" so many times, with blanks, and commas at the places given (from 0).
std::string letters(std::size_t count, std::initializer_list<std::size_t> commas = {}) {
  std::string text;
  for (std::size_t k = 0; k < count; ++k) {
    text += std::ranges::count(commas, k) > 0 ? ", " : "a ";
  }
  return text;
}

std::vector<std::size_t> chunk_sizes(const PromptTokens& prompt) {
  std::vector<std::size_t> sizes;
  for (std::int64_t chunk = 0; chunk < prompt.chunks; ++chunk) {
    const auto first = prompt.ids.begin() + chunk * prompt.length;
    const auto end = std::find(first, first + prompt.length, codec().special().end);
    sizes.push_back(static_cast<std::size_t>(end - first) - 1);
  }
  return sizes;
}

TEST(PromptSyntax, BracketsWeighTheirWords) {
  EXPECT_EQ(parsed("plain, text: 1"), "{plain, text: 1}1");
  EXPECT_EQ(parsed("a (b) [c] d"), "{a }1{b}1.1{ }1{c}0.9091{ d}1");
  EXPECT_EQ(parsed("((a)) (((b)))"), "{a}1.21{ }1{b}1.331");
  EXPECT_EQ(parsed("(a:1.3)(b: -2 )(c:+.5)(d:0)(e:1e0)"), "{a}1.3{b}-2{c}0.5{d}0{e}1");
  EXPECT_EQ(parsed("(a (b:2) [c])"), "{a }1.1{b}2.2{ }1.1{c}1");
  EXPECT_EQ(parsed("(a:b:1.5)(10:30:2)"), "{a:b}1.5{10:30}2");
  EXPECT_EQ(parsed("(a:) (b:c) [d:2] (:e)"), "{a:}1.1{ }1{b:c}1.1{ }1{d:2}0.9091{ }1{:e}1.1");
  EXPECT_EQ(parsed(""), "");
  EXPECT_EQ(parsed("()[](:3)([:2])"), "{:2}1");
}

TEST(PromptSyntax, BracketsAreTextBehindABackslash) {
  EXPECT_EQ(parsed(R"(\(a\) \[b\] \\ c\d \)"), R"({(a) [b] \ c\d \}1)");
  EXPECT_EQ(parsed(R"((a\):2))"), "{a)}2");
  EXPECT_EQ(parsed(R"(\\(a))"), R"({\}1{a}1.1)");
}

TEST(PromptSyntax, NeighboursOfOneWeightAreOnePart) {
  EXPECT_EQ(parsed("(a)(b)"), "{ab}1.1");
  EXPECT_EQ(parsed("a()b"), "{ab}1");
}

TEST(PromptSyntax, BreakBeginsAChunk) {
  EXPECT_EQ(parsed("a BREAK b"), "{a }1/{ b}1");
  EXPECT_EQ(parsed("(a BREAK b)BREAK"), "{a }1.1/{ b}1.1");
  EXPECT_EQ(parsed("BREAKS break xBREAK"), "{BREAKS break xBREAK}1");
}

TEST(PromptSyntax, ABracketAloneIsRefused) {
  EXPECT_EQ(refusal("a (b"),
            "the prompt's '(' at byte 2 has no ')'; add it, or write '\\(' for one that is text "
            "(GRD-1217)");
  EXPECT_EQ(refusal("a ]"),
            "the prompt's ']' at byte 2 has no '['; add it, or write '\\]' for one that is text "
            "(GRD-1217)");
  for (const char* text : {")", "(", "[", "(]", "([)]", "(a))", ":)", R"(\((a\))"}) {
    EXPECT_NE(refusal(text).find("GRD-1217"), std::string::npos) << text;
  }
}

TEST(PromptSyntax, WeightsAreNumbersOfARange) {
  EXPECT_EQ(refusal("ab (c:1.3.4)"),
            "the weight '1.3.4' at byte 6 of the prompt is no number; write one such as 1.3 "
            "(GRD-1218)");
  EXPECT_EQ(refusal("(a:10.5)"),
            "a part of the prompt has the weight 10.5; weights lie between -10 and 10 (GRD-1218)");
  for (const char* text : {"(a:1e400)", "(a:-11)", "(a:--1)", "(a:1 2)", "((a:10):10)", "(a:1e)"}) {
    EXPECT_NE(refusal(text).find("GRD-1218"), std::string::npos) << text;
  }
  EXPECT_EQ(parsed("(a:nan)(b:inf)"), "{a:nanb:inf}1.1");
}

TEST(PromptSyntax, DepthCostsNoStack) {
  const std::string open(40'000, '['), closed(40'000, ']');
  EXPECT_LT(parse_prompt(open + "a" + closed).at(0).weight, 1e-300);
  EXPECT_EQ(parsed(open + closed), "");
  EXPECT_NE(refusal(std::string(100'000, '(')).find("GRD-1217"), std::string::npos);
  EXPECT_NE(refusal(std::string(30'000, '(') + "a" + std::string(30'000, ')')).find("weight inf"),
            std::string::npos);
  std::string stairs;
  for (int k = 0; k < 10'000; ++k) stairs += "([a:";
  for (int k = 0; k < 10'000; ++k) stairs += "]:1)";
  EXPECT_FALSE(parse_prompt(stairs).empty());
  EXPECT_NE(refusal(std::string(100'001, 'a')).find("GRD-2097"), std::string::npos);
}

TEST(PromptSyntax, WhatIsNoUtf8IsRefused) {
  EXPECT_NE(refusal("(a\xC0)").find("GRD-2096"), std::string::npos);
  EXPECT_EQ(parsed("(\u732B:2)"), "{\u732B}2");
}

TEST(Prompt, PlainTextIsWhatTheCodecMakesOfIt) {
  const std::vector<std::string> texts = {"", "  ", "a (b:1.3) [c] \\( BREAK", letters(75, {70}),
                                          "caf\u00E9 <|endoftext|> !"};
  for (const auto& text : texts) {
    const PromptTokens prompt = prompt_tokens(codec(), text);
    EXPECT_EQ(prompt.ids, codec().encode(text, {.length = 77, .allow_empty = true}));
    EXPECT_EQ(prompt.weights, Weights(77, 1.0F));
    EXPECT_EQ(prompt.chunks, 1);
    EXPECT_EQ(prompt.cut, "");
  }
}

TEST(Prompt, TruncatedTextIsWhatTheCodecMakesOfIt) {
  const std::string text = letters(80, {60, 70, 76}) + "b c";
  const PromptTokens prompt = prompt_tokens(codec(), text, {.truncate = true});
  EXPECT_EQ(prompt.ids, codec().encode(text, {.length = 77}));
  EXPECT_EQ(prompt.cut, "a , a a a b c");
  const PromptTokens broken =
      prompt_tokens(codec(), "(a) BREAK b BREAK c", {.weighted = true, .truncate = true});
  EXPECT_EQ(broken.chunks, 1);
  EXPECT_EQ(broken.cut, "b c");
}

TEST(Prompt, TokensBesideEachOtherHaveTheWeightsOfTheirParts) {
  const PromptTokens prompt =
      prompt_tokens(codec(), "a (b c:2) d", {.length = 7, .weighted = true});
  EXPECT_EQ(prompt.ids, codec().encode("a b c d", {.length = 7}));
  EXPECT_EQ(prompt.weights, (Weights{1, 1, 2, 2, 1, 1, 1}));
}

TEST(Prompt, LongTextGoesIntoFurtherChunks) {
  const std::string text = letters(160);
  const PromptTokens prompt = prompt_tokens(codec(), text);
  EXPECT_EQ(prompt.chunks, 3);
  EXPECT_EQ(chunk_sizes(prompt), (std::vector<std::size_t>{75, 75, 10}));
  Ids within;
  for (const auto id : prompt.ids) {
    const auto special = codec().special();
    if (id != special.begin && id != special.end) within.push_back(id);
  }
  EXPECT_EQ(within, codec().tokens(text));
  EXPECT_EQ(chunk_sizes(prompt_tokens(codec(), letters(150))), (std::vector<std::size_t>{75, 75}));
}

TEST(Prompt, AChunkEndsBehindACommaNearItsEnd) {
  const auto sizes = [](std::initializer_list<std::size_t> commas) {
    return chunk_sizes(prompt_tokens(codec(), letters(80, commas)));
  };
  EXPECT_EQ(sizes({74}), (std::vector<std::size_t>{75, 5}));
  EXPECT_EQ(sizes({60, 70}), (std::vector<std::size_t>{71, 9}));
  EXPECT_EQ(sizes({55}), (std::vector<std::size_t>{56, 24}));  // the 20th from the end
  EXPECT_EQ(sizes({54}), (std::vector<std::size_t>{75, 5}));
  EXPECT_EQ(sizes({75}), (std::vector<std::size_t>{75, 5}));
  // In chunks shorter than that, too, and every chunk has a token.
  const auto three = prompt_tokens(codec(), ",,,, a, b, c", {.length = 3});
  EXPECT_TRUE(std::ranges::all_of(chunk_sizes(three), [](auto size) { return size == 1; }));
}

TEST(Prompt, BreaksMakeChunksThatHaveTokens) {
  const auto chunks = [](std::string_view text) {
    return chunk_sizes(prompt_tokens(codec(), text, {.weighted = true}));
  };
  EXPECT_EQ(chunks("a BREAK b c"), (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(chunks("BREAK a BREAK BREAK b BREAK"), (std::vector<std::size_t>{1, 1}));
  EXPECT_EQ(chunks("BREAK"), (std::vector<std::size_t>{0}));
  EXPECT_EQ(chunks(letters(80) + " BREAK b"), (std::vector<std::size_t>{75, 5, 1}));
}

TEST(Prompt, ChunksArePaddedByThoseOfNoText) {
  PromptTokens prompt = prompt_tokens(codec(), "a", {.length = 5});
  pad_chunks(prompt, 2, codec());
  pad_chunks(prompt, 1, codec());
  Ids both = codec().encode("a", {.length = 5});
  const Ids empty = codec().encode("", {.length = 5, .allow_empty = true});
  both.insert(both.end(), empty.begin(), empty.end());
  EXPECT_EQ(prompt.ids, both);
  EXPECT_EQ(prompt.chunks, 2);
  EXPECT_EQ(prompt.weights, Weights(10, 1.0F));
}

TEST(Prompt, ThePaddingIsTheCodecs) {
  BytePairs pairs = codec().pairs();
  pairs.pad = "!";
  const ByteCodec other(pairs, "test");
  EXPECT_EQ(prompt_tokens(other, "a", {.length = 5}).ids,
            (Ids{other.special().begin, other.tokens("a")[0], other.special().end, 0, 0}));
}

TEST(Prompt, ChunksWithoutRoomAreRefused) {
  EXPECT_THROW(prompt_tokens(codec(), "a", {.length = 2}), UsageError);
}

}  // namespace
}  // namespace gradatim::neural
