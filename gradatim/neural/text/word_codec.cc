#include "gradatim/neural/text/word_codec.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/neural/text/byte_codec.h"
#include "gradatim/neural/text/pieces.h"
#include "gradatim/neural/text/unicode.h"

namespace gradatim::neural {
namespace {

constexpr const char* kUnknownWord = "<|unknown|>";
constexpr std::size_t kShown = 40;  // bytes of a word in a message

// The head of a word that ends with a character.
std::string shown(std::string_view word) {
  if (word.size() <= kShown) return std::string(word);
  word = word.substr(0, kShown);
  return std::string(word.substr(0, invalid_utf8(word).value_or(kShown))) + "...";
}

}  // namespace

std::vector<std::string> first_words(bool unknown) {
  std::vector<std::string> words = {kBeginToken, kEndToken};
  if (unknown) words.emplace_back(kUnknownWord);
  return words;
}

std::string word_normal(std::string_view text, bool lower_case) {
  const std::string once = normalised(text, lower_case);
  return lower_case ? normalised(once, false) : once;
}

WordCodec::WordCodec(KnownWords known, const std::string& source) : known_(std::move(known)) {
  const auto first = first_words(known_.unknown);
  for (std::size_t k = 0; k < first.size(); ++k) {
    GRADATIM_CHECK(k < known_.words.size() && known_.words[k] == first[k], ModelError, 3069,
                   "{}: the words do not begin with '{}'", source, join_and(first));
  }
  for (std::size_t k = 0; k < known_.words.size(); ++k) {
    const bool fresh = numbers_.emplace(known_.words[k], static_cast<std::int64_t>(k)).second;
    GRADATIM_CHECK(fresh, ModelError, 3069, "{}: the word '{}' is there twice", source,
                   shown(known_.words[k]));
  }
}

void WordCodec::refuse(std::string_view word) const {
  const std::string named = shown(word);
  const std::span<const std::string> all(known_.words);
  throw UsageError(1177, fmt::format("the word '{}' is not among the {} that were learned{}", named,
                                     all.size() - 2, did_you_mean(named, all.subspan(2))));
}

std::vector<std::int64_t> WordCodec::tokens(std::string_view text) const {
  const std::string normal = word_normal(text, known_.lower_case);
  std::vector<std::int64_t> all;
  for (const auto word : word_pieces(normal)) {
    const auto found = numbers_.find(std::string(word));
    if (found == numbers_.end() && !known_.unknown) refuse(word);
    all.push_back(found == numbers_.end() ? 2 : found->second);
  }
  return all;
}

std::string WordCodec::normal(std::string_view text) const {
  const std::string normal = word_normal(text, known_.lower_case);
  std::string joined;
  for (const auto word : word_pieces(normal)) {
    if (!joined.empty()) joined += ' ';
    joined += numbers_.contains(std::string(word)) ? word : kUnknownWord;
  }
  return joined;
}

std::string WordCodec::decode(std::span<const std::int64_t> tokens) const {
  std::string text;
  for (const auto token : tokens) {
    GRADATIM_CHECK(token >= 0 && token < vocabulary(), DataError, 2098,
                   "the vocabulary has {} tokens, none of them number {}", vocabulary(), token);
    if (token < 2) continue;
    if (!text.empty()) text += ' ';
    text += known_.words[static_cast<std::size_t>(token)];
  }
  return text;
}

std::string WordCodec::store() const {
  return nlohmann::json{{"tokenizer", "neural.tokenizer.words"},
                        {"words", known_.words},
                        {"lower_case", known_.lower_case},
                        {"unknown", known_.unknown}}
      .dump();
}

}  // namespace gradatim::neural
