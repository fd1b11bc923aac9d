#pragma once

#include <cstdint>

namespace gradatim::neural {

enum class TextActivation {
  quick_gelu,  // x sigmoid(1.702 x)
  gelu,        // x times the normal distribution at x
};

/// Of a TextTransformer; as it is, that of Stable Diffusion 1.
struct TextConfig {
  std::int64_t width = 768, layers = 12, heads = 12;
  std::int64_t inner = 3072;        // units within a layer's perceptron
  std::int64_t tokens = 77;         // the most of a text
  std::int64_t vocabulary = 49408;  // numbers that a token may have
  TextActivation activation = TextActivation::quick_gelu;
  double epsilon = 1e-5;  // of norms
};

}  // namespace gradatim::neural
