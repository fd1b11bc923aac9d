// A vocabulary of whole words.
#include <algorithm>
#include <map>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/text/pieces.h"
#include "gradatim/neural/text/stored.h"
#include "gradatim/neural/text/word_codec.h"
#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {
namespace {

struct WordsConfig {
  int vocabulary = 4096;
  bool lower_case = true;
  bool unknown = false;
};

class WordsTokenizer final : public Tokenizer {
 public:
  explicit WordsTokenizer(const WordsConfig& config) : config_(config) {}

  std::shared_ptr<const TextCodec> train(std::span<const std::string> texts) const override {
    std::map<std::string, std::int64_t> counts;
    for (const auto& text : texts) {
      const std::string normal = word_normal(text, config_.lower_case);
      for (const auto word : word_pieces(normal)) ++counts[std::string(word)];
    }
    GRADATIM_CHECK(!counts.empty(), DataError, 2099,
                   "neural.tokenizer.words: {} texts without a word; give it some to learn from",
                   texts.size());
    std::vector<std::pair<std::string, std::int64_t>> order(counts.begin(), counts.end());
    const auto room =
        static_cast<std::size_t>(config_.vocabulary) - first_words(config_.unknown).size();
    GRADATIM_CHECK(config_.unknown || order.size() <= room, UsageError, 1177,
                   "the texts have {} words and the vocabulary room for {}; raise vocabulary, or "
                   "set unknown",
                   order.size(), room);
    std::ranges::stable_sort(order, std::greater<>(), [](const auto& each) { return each.second; });
    KnownWords known{first_words(config_.unknown), config_.lower_case, config_.unknown};
    for (auto& [word, count] : order) {
      if (known.words.size() == static_cast<std::size_t>(config_.vocabulary)) break;
      known.words.push_back(std::move(word));
    }
    return std::make_shared<WordCodec>(std::move(known), "neural.tokenizer.words");
  }

  std::shared_ptr<const TextCodec> load(const StoredFields& stored) const override {
    KnownWords known{.words = stored.get<std::vector<std::string>>("words"),
                     .lower_case = stored.get<bool>("lower_case"),
                     .unknown = stored.get<bool>("unknown")};
    return std::make_shared<WordCodec>(std::move(known), stored.source());
  }

 private:
  WordsConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&WordsConfig::vocabulary>(
        {.doc = "The most tokens, with those of begin, end and unknown. The most frequent words "
                "are kept, of equals the first in the order of their bytes.",
         .range = api::between(4, 1 << 20)}),
    api::setting<&WordsConfig::lower_case>({.doc = "Whether texts are taken in lower case."}),
    api::setting<&WordsConfig::unknown>(
        {.doc = "Whether all other words are one token more, instead of an error."}),
};

constexpr api::Text kText = {
    .name = "neural.tokenizer.words",
    .summary = "Whole words and punctuation marks, of the texts learned from.",
    .detail =
        "A text is composed (NFC) and cut into words, which are letters, their marks, "
        "numbers and apostrophes between them, and single other characters. Rows are short, "
        "and a misspelled word is found before it reaches the network.",
    .source =
        "Manning, Raghavan and Schuetze (2008), Introduction to information retrieval, "
        "section 2.2",
    .shape = "a text; tokens: [length]",
    .errors =
        "GRD-1177 an unknown word, GRD-1178 no words, GRD-1179 no room for begin and end, "
        "GRD-2096 not UTF-8, GRD-2097 too long, GRD-2098 a token out of range, GRD-2099 "
        "nothing to learn from, GRD-3069 a damaged vocabulary",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_tokenizer_words) =
    gradatim::api::component<gradatim::neural::WordsTokenizer, gradatim::neural::WordsConfig>(
        gradatim::neural::kText, gradatim::neural::kSettings);
