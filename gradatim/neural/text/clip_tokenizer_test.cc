#include "gradatim/neural/text/clip_tokenizer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/file.h"

namespace gradatim::neural {
namespace {

using Json = nlohmann::json;

// Hostile texts and their tokens by transformers; tests/parity/test_tokenizer.py writes them.
const Json& cases() {
  static const Json read = [] {
    const MappedFile file(GRADATIM_SOURCES "/tests/parity/tokenizer/cases.json");
    return Json::parse(file.bytes());
  }();
  return read;
}

class CheckpointFolder {
 public:
  CheckpointFolder()
      : path_(std::filesystem::temp_directory_path() /
              ("gradatim_tokenizer_" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(path_);
  }
  ~CheckpointFolder() { std::filesystem::remove_all(path_); }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  CheckpointFolder& with(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name) << text;
    return *this;
  }
  CheckpointFolder& with_vocabulary() {
    return with("vocab.json", cases()["vocabulary"].dump())
        .with("merges.txt", cases()["merges"].get<std::string>());
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

void expect_cases(const ByteCodec& codec) {
  ASSERT_EQ(cases()["texts"].size(), 200U);
  for (std::size_t k = 0; k < cases()["texts"].size(); ++k) {
    const auto text = cases()["texts"][k].get<std::string>();
    const auto tokens = cases()["tokens"][k].get<std::vector<std::int64_t>>();
    EXPECT_EQ(codec.encode(text, {.allow_empty = true}), tokens) << text;
  }
}

int refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const ModelError& error) {
    return error.code();
  }
  return 0;
}

TEST(ClipTokenizer, GivesTheTokensOfTransformers) {
  CheckpointFolder folder;
  expect_cases(*read_clip_tokenizer(folder.with_vocabulary().path()));
}

TEST(ClipTokenizer, ReadsTheOneFileOfNewerCheckpoints) {
  std::istringstream lines(cases()["merges"].get<std::string>());
  Json as_texts = Json::array(), as_lists = Json::array();
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#version")) continue;
    as_texts.push_back(line);
    const auto blank = line.find(' ');
    as_lists.push_back({line.substr(0, blank), line.substr(blank + 1)});
  }
  for (const Json& merges : {as_texts, as_lists}) {
    const Json file = {{"model", {{"vocab", cases()["vocabulary"]}, {"merges", merges}}}};
    CheckpointFolder folder;
    expect_cases(*read_clip_tokenizer(folder.with("tokenizer.json", file.dump()).path()));
  }
}

TEST(ClipTokenizer, SurvivesAModelFile) {
  CheckpointFolder folder;
  const auto codec = read_clip_tokenizer(folder.with_vocabulary().path());
  const auto again = load_text_codec(codec->store(), "model.safetensors");
  EXPECT_EQ(again->encode("a photo"), codec->encode("a photo"));
  EXPECT_EQ(again->store(), codec->store());
}

TEST(ClipTokenizer, ThePaddingMayBeAnotherToken) {
  CheckpointFolder folder;
  folder.with_vocabulary().with("special_tokens_map.json", R"({"pad_token": {"content": "!"}})");
  const auto codec = read_clip_tokenizer(folder.path());
  EXPECT_EQ(codec->special().pad, 0);
  EXPECT_EQ(codec->encode("a", {.length = 5}),
            (std::vector{codec->special().begin, codec->tokens("a").front(), codec->special().end,
                         std::int64_t{0}, std::int64_t{0}}));
  // A token that stands for no text is itself in a text, too, as in transformers.
  EXPECT_EQ(codec->tokens("!"), std::vector<std::int64_t>{0});
}

TEST(ClipTokenizer, TokensThatTheVocabularyLacksComeBehindIt) {
  const auto codec = clip_tokenizer(R"({"a</w>": 0, "b</w>": 1})", "", {}, "here");
  EXPECT_EQ(codec->vocabulary(), 4);
  EXPECT_EQ(codec->encode("A b"), (std::vector<std::int64_t>{2, 0, 1, 3}));
  EXPECT_EQ(codec->tokens("ac"), (std::vector<std::int64_t>{3, 3}));  // unknown bytes
}

TEST(ClipTokenizer, ADamagedFileIsNamed) {
  const auto of = [](const std::string& vocabulary, const std::string& merges) {
    return refusal([&] { clip_tokenizer(vocabulary, merges, {}, "here"); });
  };
  EXPECT_EQ(of("{", ""), 3069);
  EXPECT_EQ(of("[]", ""), 3069);
  EXPECT_EQ(of(R"({"a": 1})", ""), 3069);
  EXPECT_EQ(of(R"({"a": 0, "b": 0})", ""), 3069);
  EXPECT_EQ(of(R"({"a": -1})", ""), 3069);
  EXPECT_EQ(of(R"({"a": "0"})", ""), 3069);
  EXPECT_EQ(of(R"({"a": 0})", "a"), 3069);
  EXPECT_EQ(of(R"({"a": 0})", "a b c"), 3069);
  EXPECT_EQ(of(R"({"a": 0})", "a a"), 3069);
  CheckpointFolder folder;
  const auto read = [&] { read_clip_tokenizer(folder.path()); };
  EXPECT_EQ(refusal(read), 3070);
  folder.with("tokenizer.json", R"({"model": {"type": "WordPiece"}})");
  EXPECT_EQ(refusal(read), 3069);
  folder.with("tokenizer.json", R"({"model": {"vocab": {"a": 0}, "merges": [["a"]]}})");
  EXPECT_EQ(refusal(read), 3069);
}

TEST(ByteCodec, WhatIsNoUtf8WhenDecodedIsShownAsSuch) {
  CheckpointFolder folder;
  const auto codec = read_clip_tokenizer(folder.with_vocabulary().path());
  auto tokens = codec->tokens("\u6BDB");
  tokens.resize(1);
  EXPECT_EQ(codec->decode(tokens).substr(0, 3), "\uFFFD");
}

}  // namespace
}  // namespace gradatim::neural
