// CaptionTokens: texts as a network is told them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/core/safetensors.h"
#include "gradatim/data/samples.h"
#include "gradatim/neural/text_encoder.h"

namespace gradatim::neural {

class CaptionTokens {
 public:
  /// The vocabulary of the samples' captions.
  CaptionTokens(const TextEncoder& encoder, const data::Samples& samples);

  std::int64_t length() const { return length_; }
  std::int64_t vocabulary() const { return codec_->vocabulary(); }
  const TextCodec& codec() const { return *codec_; }
  /// [length] tokens of a text. UsageError GRD-1177 for an unknown word, GRD-1178 for one without
  /// words.
  std::vector<std::int64_t> of(std::string_view text) const;
  /// Those of the empty text, which stands for anything.
  const std::vector<std::int64_t>& anything() const { return anything_; }

  void store(SafetensorsWriter& file) const;
  /// ModelError GRD-3069 where it is damaged.
  static std::shared_ptr<const CaptionTokens> load(const TextEncoder& encoder,
                                                   const SafetensorsFile& file);

 private:
  CaptionTokens(const TextEncoder& encoder, std::shared_ptr<const TextCodec> codec);

  std::int64_t length_;
  std::shared_ptr<const TextCodec> codec_;
  std::vector<std::int64_t> anything_;
};

}  // namespace gradatim::neural
