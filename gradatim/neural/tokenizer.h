// Tokenizer: how a vocabulary of texts is learned, chosen by name. It needs no torch; what it gives
// is in text/text_codec.h.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "gradatim/api/settings.h"
#include "gradatim/neural/text/text_codec.h"

namespace gradatim::neural {

class StoredFields;

class Tokenizer {
 public:
  using Interface = Tokenizer;
  static constexpr std::string_view kKind = "neural.tokenizer";
  virtual ~Tokenizer() = default;

  /// The vocabulary of the texts, whatever their order. DataError GRD-2096, GRD-2097 of a text,
  /// GRD-2099 where they have no words.
  virtual std::shared_ptr<const TextCodec> train(std::span<const std::string> texts) const = 0;
  /// A codec that was stored, with the settings it was made by instead of these. ModelError
  /// GRD-3069.
  virtual std::shared_ptr<const TextCodec> load(const StoredFields& stored) const = 0;
};

}  // namespace gradatim::neural
