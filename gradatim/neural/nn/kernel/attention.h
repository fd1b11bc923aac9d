// Self-attention of many short sequences, as a U-Net has it: out = softmax(q k' / sqrt(d)) v for
// each image and head. Heads are as narrow as 8 numbers there, where kernels made for language
// models spend their time on everything but arithmetic.
//
// Vectors hold queries, keys are broadcast: no sum goes across a vector. The scores of a block of
// queries with all keys lie in the first-level cache, so this is not for thousands of tokens.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

struct Attention {
  std::int64_t rows = 0, tokens = 0, heads = 1, width = 0;  // width: of a head
  const float* qkv = nullptr;                               // [rows, tokens, 3, heads, width]
  float* logsum = nullptr;  // [rows, heads, tokens]: log sum exp of scores; written, then read
};

/// Writes out, [rows, tokens, heads, width].
void attention(const Attention& problem, float* out);
/// Writes dqkv, like qkv, from out and its gradient.
void attention_backward(const Attention& problem, const float* out, const float* dout, float* dqkv);

}  // namespace gradatim::neural::kernel
