// Perceptron: linear layers with a nonlinearity between them, as one differentiable function.
//
// On a processor its passes are written by hand: narrow ones in blocks of rows through all layers
// (mlp_pass.h), wide ones a layer at a time; gradients of parameters are added where they lie, and
// what comes out can be differentiated once. Elsewhere torch differentiates the layers.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "gradatim/neural/network/mlp.h"
#include "gradatim/neural/nn/mlp_pass.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// Passes whose memory is used again, by any thread.
struct SparePasses {
  std::mutex mutex;
  std::vector<std::unique_ptr<MlpPass>> passes;
};

class Perceptron {
 public:
  Perceptron(std::vector<Tensor> weights, std::vector<Tensor> biases, Activation activation);
  /// x [rows, in] -> [rows, out]. Several threads may ask at once; learning belongs to one.
  Tensor operator()(const Tensor& x) const;

 private:
  friend class PerceptronFunction;
  bool by_hand() const;
  bool narrow() const;
  Tensor layer_by_layer(const Tensor& x) const;
  Tensor wide_forward(const Tensor& x, std::vector<Tensor>* kept) const;
  Tensor wide_backward(const std::vector<Tensor>& kept, const Tensor& gradient, bool further,
                       bool learns) const;
  MlpShape shape() const;
  const float* begin() const { return weights_.front().const_data_ptr<float>(); }

  std::vector<Tensor> weights_, biases_;  // [out, in], [out]
  Activation activation_;
  std::shared_ptr<SparePasses> spare_;
};

}  // namespace gradatim::neural
