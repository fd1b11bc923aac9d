// TextEncoder: how a network that is asked by texts reads them: a tokenizer, whose vocabulary is
// learned from the captions, and a transformer inside the network. Settings alone.
#pragma once

#include <memory>
#include <string_view>

#include "gradatim/neural/tokenizer.h"

namespace gradatim::neural {

struct TextEncoderConfig {
  int tokens = 16;
  int width = 128;
  int layers = 2;
  int heads = 4;
};

class TextEncoder {
 public:
  using Interface = TextEncoder;
  static constexpr std::string_view kKind = "neural.text_encoder";
  virtual ~TextEncoder() = default;
  virtual const TextEncoderConfig& config() const = 0;
  virtual const Tokenizer& tokenizer() const = 0;
};

}  // namespace gradatim::neural
