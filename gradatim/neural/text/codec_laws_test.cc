// Laws of every tokenizer of the manifest.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {
namespace {

using Texts = std::vector<std::string>;

const Texts& texts() {
  static const Texts all = {
      "A handwritten seven",
      "the digit 7,  bold!",
      "a photo of the CAT's whiskers",
      "don't rock'n'roll, they'll say; it\u2019s ''quoted''s",
      "\u00C5ngstr\u00F6m, A\u030Angstro\u0308m and \u212Bngstr\u00F6m",
      "\u0130stanbul J\u030C \u03A3\u03A3 \u1E9E \u01C5",
      "\u4E09\u6BDB\u732B \u1112\u1161\u11AB\uD55C \u0E01\u0E38\u0E49",
      "\u00BD 42 \u2177 x\u00B2 1e-5",
      "\U0001F469\u200D\U0001F467 \U0001F1E9\U0001F1EA \u2603\uFE0F",
      "\tblanks\u00A0of\u3000all\u2028kinds\r\n",
      "q\u0323\u0307 q\u0307\u0323 \u0301alone",
      std::string("nul\0and\x1B[31m\x7F", 14),
      "</w> <pad> ((( ))) --- \"quotes\"",
      std::string(3000, 'a') + std::string(50, '!'),
  };
  return all;
}

template <class F>
void for_every_tokenizer(F f) {
  const auto entries = api::Registry::instance().list(Tokenizer::kKind);
  ASSERT_GE(entries.size(), 2U);
  for (const auto* entry : entries) {
    SCOPED_TRACE(std::string(entry->text.name));
    f(api::build_as<Tokenizer>({.component = std::string(entry->text.name)}));
  }
}

template <class F>
int code_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.code();
  }
  return 0;
}

TEST(CodecLaws, DecodingGivesTheNormalFormBack) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    for (const auto& text : texts()) {
      const auto tokens = codec->encode(text);
      const std::string back = codec->decode(tokens);
      EXPECT_EQ(back, codec->normal(text));
      EXPECT_EQ(codec->encode(back), tokens) << text;
    }
  });
}

TEST(CodecLaws, TheOrderOfTextsDoesNotMatter) {
  for_every_tokenizer([](const auto& tokenizer) {
    Texts other = texts();
    std::ranges::reverse(other);
    EXPECT_EQ(tokenizer->train(texts())->store(), tokenizer->train(other)->store());
  });
}

TEST(CodecLaws, WhatWasStoredIsTheSameCodec) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto before = tokenizer->train(texts());
    const auto after = load_text_codec(before->store(), "model.safetensors");
    EXPECT_EQ(after->store(), before->store());
    EXPECT_EQ(after->vocabulary(), before->vocabulary());
    EXPECT_EQ(after->special().pad, before->special().pad);
    EXPECT_EQ(after->encode_rows(texts()), before->encode_rows(texts()));
  });
}

TEST(CodecLaws, TokensAreWithinTheVocabulary) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    for (const auto token : codec->encode_rows(texts())) {
      EXPECT_GE(token, 0);
      EXPECT_LT(token, codec->vocabulary());
    }
    const std::int64_t beyond[] = {codec->vocabulary()}, below[] = {-1};
    EXPECT_EQ(code_of([&] { codec->decode(beyond); }), 2098);
    EXPECT_EQ(code_of([&] { codec->decode(below); }), 2098);
  });
}

TEST(CodecLaws, RowsHaveTheirBeginTheirEndAndTheLengthAskedFor) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    const SpecialTokens own = codec->special();
    const auto whole = codec->encode(texts()[1]);
    const auto size = static_cast<std::int64_t>(whole.size());
    EXPECT_EQ(whole.front(), own.begin);
    EXPECT_EQ(whole.back(), own.end);
    EXPECT_EQ(std::vector(whole.begin() + 1, whole.end() - 1), codec->tokens(texts()[1]));
    EXPECT_EQ(codec->encode(texts()[1], {.length = size}), whole);

    auto longer = whole;
    longer.insert(longer.end(), 3, own.pad);
    EXPECT_EQ(codec->encode(texts()[1], {.length = size + 3}), longer);
    auto shorter = whole;
    shorter.erase(shorter.end() - 3, shorter.end() - 1);
    EXPECT_EQ(codec->encode(texts()[1], {.length = size - 2}), shorter);
    EXPECT_EQ(codec->encode(texts()[1], {.length = 2}), std::vector({own.begin, own.end}));
    EXPECT_EQ(code_of([&] { codec->encode(texts()[1], {.length = 1}); }), 1179);
    EXPECT_EQ(code_of([&] { codec->encode(texts()[1], {.length = -1}); }), 1179);
  });
}

TEST(CodecLaws, RowsOfSeveralTextsAreAsLongAsTheLongest) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    const Texts two = {texts()[0], texts()[1]};
    const auto length = std::max(codec->encode(two[0]).size(), codec->encode(two[1]).size());
    const auto rows = codec->encode_rows(two);
    ASSERT_EQ(rows.size(), 2 * length);
    const EncodeOptions options{.length = static_cast<std::int64_t>(length)};
    const std::vector<std::int64_t> first(rows.begin(), rows.begin() + options.length);
    EXPECT_EQ(first, codec->encode(two[0], options));
  });
}

TEST(CodecLaws, TheEmptyTextIsForWhoeverAllowsIt) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    for (const std::string text : {"", "  \t\u3000"}) {
      EXPECT_EQ(code_of([&] { codec->encode(text); }), 1178);
      const auto row = codec->encode(text, {.length = 4, .allow_empty = true});
      const SpecialTokens own = codec->special();
      EXPECT_EQ(row, std::vector({own.begin, own.end, own.pad, own.pad}));
      EXPECT_EQ(codec->decode(row), "");
    }
  });
}

TEST(CodecLaws, WhatIsNoTextIsRefusedInOneLine) {
  for_every_tokenizer([](const auto& tokenizer) {
    const auto codec = tokenizer->train(texts());
    for (const std::string text :
         {"\xFF", "a\xC0\x80", "\xED\xA0\x80", "cut\xE4\xB8", "\xF4\x90\x80\x80"}) {
      EXPECT_EQ(code_of([&] { codec->encode(text); }), 2096);
      EXPECT_EQ(code_of([&] { codec->normal(text); }), 2096);
      EXPECT_EQ(code_of([&] { tokenizer->train(Texts{text}); }), 2096);
    }
    EXPECT_EQ(code_of([&] { codec->encode(std::string(100'001, 'a')); }), 2097);
    EXPECT_EQ(code_of([&] { tokenizer->train(Texts{}); }), 2099);
    EXPECT_EQ(code_of([&] { tokenizer->train(Texts{" ", ""}); }), 2099);
  });
}

TEST(CodecLaws, ADamagedVocabularyIsRefused) {
  const auto refusal = [](const std::string& json) {
    return code_of([&] { load_text_codec(json, "model.safetensors"); });
  };
  for (const char* json : {"", "[]", "{", "{}", R"({"tokenizer": 3})", R"({"tokenizer": "no"})",
                           R"({"tokenizer": "neural.network.mlp"})"}) {
    EXPECT_EQ(refusal(json), 3069) << json;
  }
  for_every_tokenizer([&](const auto& tokenizer) {
    const auto whole = nlohmann::json::parse(tokenizer->train(texts())->store());
    for (const auto& [name, value] : whole.items()) {
      SCOPED_TRACE(name);
      auto less = whole, other = whole;
      less.erase(name);
      EXPECT_EQ(refusal(less.dump()), 3069);
      other[name] = nlohmann::json::array({1});
      EXPECT_EQ(refusal(other.dump()), 3069);
    }
    for (const char* name : {"tokens", "words"}) {
      if (!whole.contains(name)) continue;
      auto twice = whole, headless = whole;
      twice[name].push_back(whole[name].back());
      EXPECT_EQ(refusal(twice.dump()), 3069);
      headless[name] = {"a", "b"};
      EXPECT_EQ(refusal(headless.dump()), 3069);
    }
  });
}

}  // namespace
}  // namespace gradatim::neural
