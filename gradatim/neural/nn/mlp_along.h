// MlpAlong: a multilayer perceptron without residual blocks and, beside it, what it makes of some
// directions z: its products J z, in one pass in memory, by hand; and the way back of both, which
// needs second derivatives of the activation alone:
//
//   forward:  a = s(z), a' = s'(z) z' a direction; then W a + b and W a'
//   backward: z* = s'(z) a* + s''(z) sum of a'* z', z'* = s'(z) a'*
//
// Blocks, parts and threads are as in mlp_pass.h, with its promises.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/neural/nn/mlp_pass.h"

namespace gradatim::neural {

struct AlongInput {
  const float* x;      // [rows, in of the first]: the state, and behind it the time
  const float* shift;  // [rows, out of the first], added behind the first layer, or null
  std::int64_t rows;
  std::int64_t dims;        // of the state
  const float* directions;  // [count, rows or 1, dims]
  std::int64_t count;
  bool alike;  // whether all rows have the same directions
};

class MlpAlong {
 public:
  explicit MlpAlong(MlpShape shape) : shape_(std::move(shape)) {}

  /// out [rows, dims], products [count, rows, dims]; `keep` what backward() needs.
  void forward(const float* parameters, const AlongInput& input, bool keep, float* out,
               float* products);
  /// Of gradients by out and products, adds those by the parameters and writes those by the state
  /// [rows, dims] and, where it is not null, by the shift. Arguments are those of the last
  /// forward().
  void backward(const float* parameters, const AlongInput& input, const float* out_gradient,
                const float* product_gradients, std::span<float> gradients, float* x_gradient,
                float* shift_gradient);

 private:
  MlpShape shape_;
  std::vector<float> kept_, partial_;
};

}  // namespace gradatim::neural
