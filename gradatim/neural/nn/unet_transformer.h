// The transformer of a U-Net that is told a text: diffusers' Transformer2DModel with its
// BasicTransformerBlocks, and their parameter names (Rombach et al. 2022).
//
//   h = in norm(x);  a layer:  h += self(norm1 h),  h += cross(norm2 h, text),
//   h += down(value gelu(gate)), value and gate linear in norm3 h;  out:  x + out h
//
// Pixels are tokens, [rows, tokens, channels], which channels-last images are as they lie.
#pragma once

#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

/// What is told, as in NetInput.
struct UnetText {
  Tensor context;  // [texts, tokens, width]
  ContextKeys* kept = nullptr;
};

/// out(softmax(q k' / sqrt(d)) v), the keys and values of x itself or of a text.
class UnetAttention {
 public:
  /// `source`: numbers of each token that keys and values are made of.
  UnetAttention(const Scope& scope, std::int64_t channels, std::int64_t source, std::int64_t heads);

  Tensor of_itself(const Tensor& x) const;
  /// `place`: of this attention among those of the network.
  Tensor of_text(const Tensor& x, const UnetText& text, std::size_t place) const;

 private:
  struct Keys {
    Tensor keys, values;  // [texts, tokens, channels]
  };
  Keys keys_of(const UnetText& text, std::size_t place) const;
  Tensor mix(const Tensor& queries, const Keys& seen) const;

  Dense query_, key_, value_, out_;
  std::int64_t heads_;
};

class UnetTransformer {
 public:
  struct Plan {
    std::int64_t channels = 0, context = 0, heads = 1, layers = 1, norm_groups = 1;
    bool linear = false, zero_init = false;
    std::size_t first_place = 0;  // of its layers among those of the network
  };
  UnetTransformer(const Scope& scope, const Plan& plan);
  Tensor operator()(const Tensor& x, const UnetText& text) const;

 private:
  struct TokenNorm {
    Tensor gain, bias;
    TokenNorm(const Scope& scope, std::int64_t channels);
    Tensor operator()(const Tensor& h) const;
  };
  struct Layer {
    TokenNorm norm1, norm2, norm3;
    UnetAttention self, cross;
    Dense up, down;
    std::size_t place;
    Layer(const Scope& scope, const Plan& plan, std::size_t at);
    Tensor operator()(Tensor h, const UnetText& text) const;
  };

  Norm norm_;
  Dense in_, out_;
  std::vector<Layer> layers_;
};

}  // namespace gradatim::neural
