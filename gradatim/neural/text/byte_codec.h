// Byte pairs in the manner of CLIP: a text in normal form is cut into pieces, a piece's bytes are
// symbols of which the last ends a word, and symbols are merged as was learned. Every text can be
// said. Radford et al. (2021), Learning transferable visual models from natural language
// supervision.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gradatim/neural/text/pair_merges.h"
#include "gradatim/neural/text/text_codec.h"

namespace gradatim::neural {

inline constexpr const char* kBeginToken = "<|startoftext|>";
inline constexpr const char* kEndToken = "<|endoftext|>";

/// What such a vocabulary is read from.
struct BytePairs {
  std::vector<std::string> tokens;  // by number
  std::vector<std::pair<std::string, std::string>> merges;
  // Tokens that stand for no text. Where they are spelled out in a text they are themselves.
  std::string begin = kBeginToken, end = kEndToken, pad = kEndToken;
  std::string unknown = kEndToken;  // for bytes that the vocabulary lacks
  bool lower_case = true;
  // Words beside the merges, each as tokens of its own, of which the first is how a text spells the
  // word (normalised, wherever it stands).
  std::vector<std::vector<std::string>> added = {};
};

class ByteCodec final : public TextCodec {
 public:
  /// ModelError GRD-3069 with the source's name where tokens are not distinct, a merge makes none
  /// of them, or a token that stands for no text is not among them.
  ByteCodec(BytePairs pairs, const std::string& source);

  std::vector<std::int64_t> tokens(std::string_view text) const override;
  std::string decode(std::span<const std::int64_t> tokens) const override;
  std::string normal(std::string_view text) const override;
  std::string store() const override;
  std::int64_t vocabulary() const override {
    return static_cast<std::int64_t>(pairs_.tokens.size());
  }
  SpecialTokens special() const override { return special_; }
  const BytePairs& pairs() const { return pairs_; }

 private:
  /// A token that the text spells out, and the text in front of it.
  struct Section {
    std::string_view text;
    std::int64_t token = -1;  // none at the end
  };
  std::vector<Section> sections(std::string_view text) const;
  void add_text(std::string_view normal, std::vector<std::int64_t>& tokens) const;
  void add_piece(std::string_view piece, std::vector<std::int64_t>& tokens) const;
  std::int64_t number_of(const std::string& token) const;  // -1: there is none
  bool stands_for_no_text(std::int64_t token) const;

  BytePairs pairs_;
  std::unordered_map<std::string, std::int64_t> numbers_;  // looked up, never walked through
  PairMerges merges_;
  std::array<std::int64_t, 256> inner_{}, last_{};  // the symbol of each byte
  SpecialTokens special_;
  std::int64_t unknown_ = 0;
  struct Added {
    std::string spelled;  // normalised
    std::vector<std::int64_t> tokens;
  };
  std::vector<Added> added_;  // the longest first
};

}  // namespace gradatim::neural
