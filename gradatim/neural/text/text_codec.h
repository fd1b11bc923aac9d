// TextCodec: texts as numbers and back, of a vocabulary that was learned or read.
//
//  1. A Tokenizer (tokenizer.h) learns one from texts; read_clip_tokenizer() reads one of a
//     checkpoint.
//  2. encode() gives a network a text as tokens of a fixed number; decode() shows what is left.
//  3. store() is JSON for a model file; load_text_codec() makes the same codec of it.
//
// All functions may be called by several threads at once. Texts that are not UTF-8 are DataError
// GRD-2096, those too long GRD-2097.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gradatim::neural {

/// Tokens that stand for no text.
struct SpecialTokens {
  std::int64_t begin = 0, end = 0, pad = 0;
};

struct EncodeOptions {
  std::int64_t length = 0;   // of every row: cut before the end token, or filled; 0: as it comes
  bool allow_empty = false;  // the text without words, which guidance without a classifier needs
};

class TextCodec {
 public:
  virtual ~TextCodec() = default;

  /// Of a text alone, without begin and end. UsageError GRD-1177 where a word is not known.
  virtual std::vector<std::int64_t> tokens(std::string_view text) const = 0;
  /// The text of tokens, without those that stand for none. DataError GRD-2098 where a token is not
  /// in the vocabulary.
  virtual std::string decode(std::span<const std::int64_t> tokens) const = 0;
  /// What decoding the tokens of a text gives: pieces of its normal form, a blank between them.
  virtual std::string normal(std::string_view text) const = 0;
  virtual std::string store() const = 0;
  /// How many tokens there are.
  virtual std::int64_t vocabulary() const = 0;
  virtual SpecialTokens special() const = 0;

  /// Begin, tokens, end. Errors of tokens(); UsageError GRD-1178 where there are no words and that
  /// is not allowed, GRD-1179 where the length leaves no room for begin and end.
  std::vector<std::int64_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  /// [texts, length], row-major; the length is that of the longest where none is given.
  std::vector<std::int64_t> encode_rows(std::span<const std::string> texts,
                                        EncodeOptions options = {}) const;
};

/// What store() gave; `source` is the file's name in messages. ModelError GRD-3069 where it is
/// damaged.
std::shared_ptr<const TextCodec> load_text_codec(const std::string& json,
                                                 const std::string& source);

}  // namespace gradatim::neural
