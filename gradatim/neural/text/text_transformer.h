// TextTransformer: what tokens of a text mean, each in the light of those in front of it.
//
//   h = token + place
//   h = h + attention(norm1(h)), no token attending to those behind it
//   h = h + W2 a(W1 norm2(h) + b1) + b2, a layer
//   out = norm(h)
//
// CLIP's text encoder with the parameter names of transformers' CLIPTextModel. Radford et al.
// (2021), Learning transferable visual models from natural language supervision. Padding is not
// masked: the tokens behind the end are part of the text.
#pragma once

#include <vector>

#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/text/text_config.h"

namespace gradatim::neural {

class TextTransformer {
 public:
  /// Adds its parameters below the scope: `embeddings`, `encoder`, `final_layer_norm`. UsageError
  /// GRD-1166 where the heads do not share the width evenly.
  TextTransformer(const Scope& scope, const TextConfig& config);

  /// ids: [rows, tokens], int64 -> [rows, tokens, width], what comes out `skip` layers before the
  /// last, normalised (clip_skip; 0: the last). Under an active gradient mode it knows how to go
  /// back. DataError GRD-2098 where a token is not in the vocabulary or there are too many,
  /// UsageError GRD-1003 where there are not so many layers to skip.
  Tensor operator()(const Tensor& ids, std::int64_t skip = 0) const;
  const TextConfig& config() const { return config_; }

 private:
  struct LayerNorm {
    Tensor gain, bias;  // [width]
    double epsilon;
    LayerNorm(const Scope& scope, const TextConfig& config);
    Tensor operator()(const Tensor& x) const;
  };
  struct Layer {
    LayerNorm norm1, norm2;
    Dense query, key, value, out;
    Dense up, down;
    Layer(const Scope& scope, const TextConfig& config);
  };
  void check(const Tensor& ids, std::int64_t skip) const;
  Tensor attention(const Layer& layer, const Tensor& x) const;
  Tensor activated(const Tensor& x) const;

  TextConfig config_;
  Tensor token_, place_;  // [vocabulary, width], [tokens, width]
  std::vector<Layer> layers_;
  LayerNorm last_;
};

}  // namespace gradatim::neural
