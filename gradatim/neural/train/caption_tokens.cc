#include "gradatim/neural/train/caption_tokens.h"

namespace gradatim::neural {
namespace {

constexpr const char* kMetadataKey = "gradatim.tokenizer";

std::shared_ptr<const TextCodec> learned(const Tokenizer& tokenizer, const data::Samples& samples) {
  std::vector<std::string> texts;
  for (const auto& phrasings : samples.captions) {
    texts.insert(texts.end(), phrasings.begin(), phrasings.end());
  }
  return tokenizer.train(texts);
}

}  // namespace

CaptionTokens::CaptionTokens(const TextEncoder& encoder, std::shared_ptr<const TextCodec> codec)
    : length_(encoder.config().tokens), codec_(std::move(codec)) {
  anything_ = codec_->encode("", {.length = length_, .allow_empty = true});
}

CaptionTokens::CaptionTokens(const TextEncoder& encoder, const data::Samples& samples)
    : CaptionTokens(encoder, learned(encoder.tokenizer(), samples)) {}

std::vector<std::int64_t> CaptionTokens::of(std::string_view text) const {
  return codec_->encode(text, {.length = length_});
}

void CaptionTokens::store(SafetensorsWriter& file) const {
  file.set_metadata(kMetadataKey, codec_->store());
}

std::shared_ptr<const CaptionTokens> CaptionTokens::load(const TextEncoder& encoder,
                                                         const SafetensorsFile& file) {
  return std::shared_ptr<const CaptionTokens>(
      new CaptionTokens(encoder, load_text_codec(file.metadata(kMetadataKey), file.source())));
}

}  // namespace gradatim::neural
