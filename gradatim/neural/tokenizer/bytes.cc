// Byte pairs learned from texts: the vocabulary of CLIP's form.
#include <map>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/text/byte_codec.h"
#include "gradatim/neural/text/pieces.h"
#include "gradatim/neural/text/stored.h"
#include "gradatim/neural/text/unicode.h"
#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {
namespace {

constexpr int kSpecialTokens = 2;

struct BytesConfig {
  int vocabulary = 1024;
  bool lower_case = true;
};

class BytesTokenizer final : public Tokenizer {
 public:
  explicit BytesTokenizer(const BytesConfig& config) : config_(config) {}

  std::shared_ptr<const TextCodec> train(std::span<const std::string> texts) const override {
    std::map<std::string, std::int64_t> words;
    for (const auto& text : texts) {
      const std::string normal = normalised(text, config_.lower_case);
      for (const auto piece : clip_pieces(normal)) ++words[std::string(piece)];
    }
    GRADATIM_CHECK(!words.empty(), DataError, 2099,
                   "neural.tokenizer.bytes: {} texts without a word; give it some to learn from",
                   texts.size());
    LearnedPairs learned =
        learn_pairs(words, static_cast<std::size_t>(config_.vocabulary - kSpecialTokens));
    BytePairs pairs{.lower_case = config_.lower_case};
    for (const auto& [left, right] : learned.merges) {
      pairs.merges.emplace_back(learned.symbols[static_cast<std::size_t>(left)],
                                learned.symbols[static_cast<std::size_t>(right)]);
    }
    pairs.tokens = std::move(learned.symbols);
    pairs.tokens.insert(pairs.tokens.end(), {kBeginToken, kEndToken});
    return std::make_shared<ByteCodec>(std::move(pairs), "neural.tokenizer.bytes");
  }

  std::shared_ptr<const TextCodec> load(const StoredFields& stored) const override {
    using Merges = std::vector<std::pair<std::string, std::string>>;
    BytePairs pairs{.tokens = stored.get<std::vector<std::string>>("tokens"),
                    .merges = stored.get<Merges>("merges"),
                    .begin = stored.get<std::string>("begin"),
                    .end = stored.get<std::string>("end"),
                    .pad = stored.get<std::string>("pad"),
                    .unknown = stored.get<std::string>("unknown"),
                    .lower_case = stored.get<bool>("lower_case")};
    return std::make_shared<ByteCodec>(std::move(pairs), stored.source());
  }

 private:
  BytesConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&BytesConfig::vocabulary>(
        {.doc = "The most tokens: 256 bytes, 256 bytes at a word's end, pairs merged, begin and "
                "end. Fewer, where no pair is left that occurs twice.",
         .range = api::between(512 + kSpecialTokens, 1 << 20)}),
    api::setting<&BytesConfig::lower_case>({.doc = "Whether texts are taken in lower case."}),
};

constexpr api::Text kText = {
    .name = "neural.tokenizer.bytes",
    .summary = "Byte pairs: any text, in pieces that were frequent in the texts learned from.",
    .detail =
        "A text is composed (NFC), its white space made single blanks, and cut into endings such "
        "as 's, runs of letters, single numbers and runs of other characters, as CLIP does. Of a "
        "piece's bytes the pair that was learned first is merged first. The most frequent pair is "
        "learned next, of equals the one of the lowest tokens. The vocabulary has CLIP's form.",
    .source =
        "Sennrich, Haddow and Birch (2016), Neural machine translation of rare words with "
        "subword units; over bytes: Radford et al. (2019), Language models are unsupervised "
        "multitask learners",
    .shape = "a text; tokens: [length]",
    .errors =
        "GRD-1178 no words, GRD-1179 no room for begin and end, GRD-2096 not UTF-8, GRD-2097 "
        "too long, GRD-2098 a token out of range, GRD-2099 nothing to learn from, GRD-3069 a "
        "damaged vocabulary",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_tokenizer_bytes) =
    gradatim::api::component<gradatim::neural::BytesTokenizer, gradatim::neural::BytesConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
