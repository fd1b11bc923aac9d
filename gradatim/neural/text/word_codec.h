// Words and punctuation marks as tokens: short rows for texts of few words, and what was never seen
// is refused by its name.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "gradatim/neural/text/text_codec.h"

namespace gradatim::neural {

struct KnownWords {
  std::vector<std::string> words;  // by number; begin and end first, then perhaps the unknown word
  bool lower_case = true;
  bool unknown = false;
};
/// The words that stand for no text, which the list begins with.
std::vector<std::string> first_words(bool unknown);

/// normalised(), and composed once more: lower case may leave apart what is one character.
std::string word_normal(std::string_view text, bool lower_case);

class WordCodec final : public TextCodec {
 public:
  /// ModelError GRD-3069 with the source's name where the list does not begin with first_words(),
  /// or a word is there twice.
  WordCodec(KnownWords known, const std::string& source);

  std::vector<std::int64_t> tokens(std::string_view text) const override;
  std::string decode(std::span<const std::int64_t> tokens) const override;
  std::string normal(std::string_view text) const override;
  std::string store() const override;
  std::int64_t vocabulary() const override {
    return static_cast<std::int64_t>(known_.words.size());
  }
  SpecialTokens special() const override { return {0, 1, 1}; }

 private:
  [[noreturn]] void refuse(std::string_view word) const;

  KnownWords known_;
  std::unordered_map<std::string, std::int64_t> numbers_;  // looked up, never walked through
};

}  // namespace gradatim::neural
