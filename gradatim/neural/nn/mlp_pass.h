// MlpPass: a multilayer perceptron's forward and backward pass in memory, by hand.
//
// Rows go in blocks through all layers, so that what a layer puts out is still in the cache when
// the next one takes it, and threads wait for each other once a pass. In training, blocks form
// parts that depend on the number of rows alone; gradients of parts meet in their order. So what
// comes out is the same on any number of threads, and a row's output does not depend on the others.
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

  /// The widest of all layers but the last.
  std::int64_t widest() const;
  /// Numbers that a row keeps for its way back.
  std::int64_t kept() const;
};

/// Rows of numbers: x [rows, in of the first], and `shift` [rows, out of the first] that is added
/// behind the first layer, or null. Numbers that all rows end in may be `shared`, outside x.
struct MlpInput {
  const float* x;
  const float* shift;
  std::int64_t rows;
  std::span<const float> shared = {};
};

/// out [rows, out of the last]. Several threads may ask at once.
void mlp_forward(const MlpShape& shape, const float* parameters, const MlpInput& input, float* out);

class MlpPass {
 public:
  explicit MlpPass(MlpShape shape) : shape_(std::move(shape)) {}

  /// As mlp_forward(); keeps what backward() needs.
  void forward(const float* parameters, const MlpInput& input, float* out);
  /// Adds to gradients [count]; `shift_gradient` [rows, out of the first] and `input_gradient`
  /// [rows, in of the first] are written where they are not null. Parameters and input are those of
  /// the last forward().
  void backward(const float* parameters, const MlpInput& input, const float* output_gradient,
                std::span<float> gradients, float* shift_gradient, float* input_gradient = nullptr);

 private:
  MlpShape shape_;
  std::vector<float> kept_;     // [blocks][kept(), kBlock]
  std::vector<float> partial_;  // gradients of the second part and later ones
};

}  // namespace gradatim::neural
