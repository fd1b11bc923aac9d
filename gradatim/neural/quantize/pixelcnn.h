// The gated PixelCNN of code_prior/pixelcnn.h, a network a level:
//
//   v' = conv(v above) + told,  h' = conv(h to the left) + link v'
//   v = gate(v'),  h = h + W gate(h'),  gate(a, b) = tanh(a) sigmoid(b)
//   ln P(c) = log softmax(W_book relu(W relu(h)))
//
// Channels form as many groups as a place has books. What lies above and to the left is seen by
// all; of the place itself, a group sees the earlier ones and, behind the first layer, its own.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/code_prior/pixelcnn.h"
#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/quantize/prior_net.h"

namespace gradatim::neural {

class Dropout;

struct PixelLayer {
  std::int64_t kernel = 3;
  bool first = false;      // it sees the codes themselves, and of them not the one to be told
  Tensor down, down_bias;  // vertical: [2 width, width, rows, kernel]; none where there is one row
  Tensor right, right_bias;        // horizontal: [2 width, width, 1, left + 1]
  Tensor link, given;              // [2 width, 2 width], [2 width, width], or undefined
  Tensor labels;                   // [classes, 2 width], or undefined
  Tensor residual, residual_bias;  // [width, width]
};

struct PixelLevel {
  CodeShape::Level places;
  std::int64_t first_code = 0;        // of the sequence
  Tensor codes;                       // [codes of all books, width / books]
  std::vector<Tensor> coarse;         // the same of each coarser level, for this one
  Tensor coarse_weight, coarse_bias;  // [width, coarser levels width, 3, 3]
  std::vector<PixelLayer> layers;
  Tensor hidden, hidden_bias;  // [width, width]
  std::vector<Dense> books;    // [codes, width of the groups so far]
};

struct PixelCnn {
  PixelCnnPriorConfig config;
  std::vector<PixelLevel> levels;

  PixelCnn(const Scope& root, const PixelCnnPriorConfig& config, const CodeShape& shape);
};

/// Where place k of so many lies among fewer, or more.
constexpr std::int64_t place_among(std::int64_t k, std::int64_t places, std::int64_t others) {
  return k * others / places;
}

/// Codes [rows, length] as PriorNet::sample() draws them.
Tensor sample_pixelcnn(const PixelCnn& net, const CodeShape& shape, std::int64_t rows,
                       const Tensor& labels, const CodeDraw& draw);

}  // namespace gradatim::neural
