// The transformer of code_prior/transformer.h over the sequence of codes:
//
//   h_k = code_(k-1) + place_k + book_k, the label's vector instead of a code in front
//   h = h + attention(norm(h)), h = h + W2 gelu(W1 norm(h)), a block
//   ln P(c_k) = log softmax(W_book norm(h_k) + b)
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/code_prior/transformer.h"
#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/quantize/prior_net.h"

namespace gradatim::neural {

constexpr double kPriorNormEpsilon = 1e-5;

struct PriorNorm {
  Tensor gain, bias;  // [width]

  PriorNorm(const Scope& scope, std::int64_t width);
  Tensor operator()(const Tensor& x) const;
};

struct PriorBlock {
  PriorNorm norm1, norm2;
  Dense qkv, out, up, down;

  PriorBlock(const Scope& scope, const TransformerPriorConfig& config);
  /// h: [rows, length, width]
  Tensor operator()(const Tensor& h, std::int64_t heads, double dropped, Dropout& dropout) const;
};

struct TransformerPriorNet {
  TransformerPriorConfig config;
  Tensor start;          // [classes, or 1, width]
  Tensor codes;          // [codes of all books, width]
  Tensor places, books;  // [places, width], [books, width]
  std::vector<PriorBlock> blocks;
  std::vector<PriorNorm> norm;  // the last
  Tensor heads, head_biases;    // [codes of all books, width], [codes of all books]

  TransformerPriorNet(const Scope& root, const TransformerPriorConfig& config,
                      const CodeShape& shape);
  /// Where the codes of a book begin among those of all.
  static std::int64_t offset(const CodeShape& shape, std::int64_t book);
};

/// Codes [rows, length] as PriorNet::sample() draws them.
Tensor sample_transformer(const TransformerPriorNet& net, const CodeShape& shape, std::int64_t rows,
                          const Tensor& labels, const CodeDraw& draw);

/// UsageError GRD-1157 where there are no codes at all.
void check_codes(const CodeShape& shape);

}  // namespace gradatim::neural
