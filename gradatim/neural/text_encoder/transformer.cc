// A transformer over the tokens of a text, as CLIP's: each token sees those before it.
#include "gradatim/api/export.h"
#include "gradatim/neural/text_encoder.h"

namespace gradatim::neural {
namespace {

using Config = TextEncoderConfig;

class TransformerTextEncoder final : public TextEncoder {
 public:
  TransformerTextEncoder(const Config& config, std::span<const api::Made> parts)
      : config_(config), tokenizer_(std::static_pointer_cast<const Tokenizer>(parts[0])) {}
  const Config& config() const override { return config_; }
  const Tokenizer& tokenizer() const override { return *tokenizer_; }

 private:
  Config config_;
  std::shared_ptr<const Tokenizer> tokenizer_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&Config::tokens>(
        {.doc = "Tokens of a text, with those of begin and end: longer texts are cut, shorter ones "
                "filled.",
         .range = api::between(3, 4096)}),
    api::setting<&Config::width>({.doc = "Numbers of a token.", .range = api::between(1, 8192)}),
    api::setting<&Config::layers>({.doc = "Blocks.", .range = api::between(1, 96)}),
    api::setting<&Config::heads>(
        {.doc = "Heads of the attention; they divide the width.", .range = api::between(1, 256)}),
};

constexpr api::Part kParts[] = {
    {"tokenizer", "neural.tokenizer", "neural.tokenizer.words",
     "How texts become tokens; the vocabulary is that of the captions."},
};

constexpr api::Text kText = {
    .name = "neural.text_encoder.transformer",
    .summary = "A causal transformer that is trained with the network that attends to it.",
    .detail = "Computes as CLIP's text model, with the exact GELU.",
    .source =
        "Radford et al. (2021), Learning transferable visual models from natural language "
        "supervision; Vaswani et al. (2017), Attention is all you need",
    .shape = "[rows, tokens] -> [rows, tokens, width]",
    .errors = "GRD-1166 heads that do not divide the width",
};

}  // namespace
}  // namespace gradatim::neural

GRADATIM_EXPORT(neural_text_encoder_transformer) =
    gradatim::api::component<gradatim::neural::TransformerTextEncoder,
                             gradatim::neural::TextEncoderConfig>(gradatim::neural::kText,
                                                                  gradatim::neural::kSettings,
                                                                  gradatim::neural::kParts);
