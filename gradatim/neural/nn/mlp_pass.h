// MlpPass: a multilayer perceptron's forward and backward pass in memory, by hand.
//
// Rows are divided among the threads once a pass: each takes its rows through all layers, with
// matrix multiplications of one thread, and adds up gradients of its own, which meet in the order
// of the threads. Nobody waits between layers, and what a layer puts out is still in the cache when
// the next one takes it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/neural/network/mlp.h"

namespace gradatim::neural {

/// A linear layer, y = x W^T + b, within buffers of parameters and of gradients.
struct DensePlace {
  std::int64_t weight = 0, bias = 0;  // offsets: [out, in], [out]
  std::int64_t in = 0, out = 0;
};

/// Layers in order: the first, the hidden ones (or pairs of a residual block), the last.
struct MlpShape {
  std::vector<DensePlace> layers;
  bool residual = false;
  Activation activation = Activation::silu;
};

class MlpPass {
 public:
  explicit MlpPass(MlpShape shape) : shape_(std::move(shape)) {}

  /// x [rows, in of the first] -> out [rows, out of the last]. `shift` [rows, out of the first] is
  /// added behind the first layer, or null. Keeps what backward() needs.
  void forward(const float* parameters, const float* x, const float* shift, std::int64_t rows,
               float* out);
  /// Adds to gradients [count]; `shift_gradient` [rows, out of the first] is written where it is
  /// not null. x, parameters and rows are those of the last forward().
  void backward(const float* parameters, const float* x, const float* output_gradient,
                std::span<float> gradients, float* shift_gradient);

 private:
  struct Rows {
    std::int64_t begin, end;
  };
  std::vector<Rows> parts() const;
  void make_room(std::int64_t rows);
  float* kept(std::size_t k, std::int64_t row) { return kept_[k].data() + row * width_[k]; }
  void forward(const float* parameters, const float* x, const float* shift, Rows rows, float* out);
  void backward(const float* parameters, const float* x, const float* output_gradient, Rows rows,
                float* gradients, float* shift_gradient);

  MlpShape shape_;
  std::int64_t rows_ = 0, widest_ = 0;
  // Plain: z and a(z) of every hidden layer. Residual: h, then z and a(z) and the next h a block.
  std::vector<std::vector<float>> kept_;
  std::vector<std::int64_t> width_;
  std::vector<float> here_, there_;  // gradients of rows on their way back
  std::vector<float> partial_;       // gradients of the second part and later ones
};

}  // namespace gradatim::neural
