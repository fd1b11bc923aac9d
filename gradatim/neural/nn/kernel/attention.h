// Attention of many short sequences, to themselves or to others, as a U-Net has it:
// out = softmax(q k' / sqrt(d)) v for each row and head. Heads are as narrow as 8 numbers there,
// where kernels made for language models spend their time on everything but arithmetic.
//
// Vectors hold queries, keys are broadcast: no sum goes across a vector. The scores of a block of
// queries with all keys lie in the first-level cache, so this is not for thousands of tokens.
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

struct Attention {
  std::int64_t rows = 0, tokens = 0, keys = 0, heads = 1, width = 0;  // width: of a head
  const float* query = nullptr;  // [rows, tokens, heads, width]
  const float* key = nullptr;    // [rows, keys, heads, width], as value
  const float* value = nullptr;
  // Between tokens, and between keys; rows lie one behind the other.
  std::int64_t query_stride = 0, key_stride = 0;
  float* logsum = nullptr;  // [rows, heads, tokens]: log sum exp of scores; written, then read
};

/// Of sequences to themselves; qkv: [rows, tokens, 3, heads, width].
inline Attention self_attention(std::int64_t rows, std::int64_t tokens, std::int64_t heads,
                                std::int64_t width, const float* qkv, float* logsum) {
  const std::int64_t all = heads * width;
  return {rows,      tokens,        tokens,  heads,   width, qkv,
          qkv + all, qkv + 2 * all, 3 * all, 3 * all, logsum};
}

/// Writes out, [rows, tokens, heads, width].
void attention(const Attention& problem, float* out);
/// Writes the gradients by queries, keys and values, which lie as these do, from out and its own.
void attention_backward(const Attention& problem, const float* out, const float* dout,
                        float* dquery, float* dkey, float* dvalue);

}  // namespace gradatim::neural::kernel
