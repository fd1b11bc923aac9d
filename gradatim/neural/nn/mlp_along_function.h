// MlpAlong as a function that automatic differentiation knows the way back of, once.
#pragma once

#include <optional>
#include <utility>

#include "gradatim/neural/nn/mlp_along.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct AlongShape {
  MlpShape layers;
  std::int64_t parameters = 0;  // numbers in the buffer
  std::int64_t dims = 0;        // of the state
};

/// One call, and what its way back needs.
class AlongPass : public torch::CustomClassHolder {
 public:
  /// `first` [rows, state and time], `shift` [rows, width] or undefined, z [directions, rows or 1,
  /// dims]; parameters must stay as they are.
  AlongPass(const AlongShape& shape, const float* parameters, Tensor first, Tensor shift, Tensor z);

  /// Output [rows, dims] and products [directions, rows, dims].
  std::pair<Tensor, Tensor> forward(bool keep);
  struct Gradients {
    Tensor state, shift, parameters;  // [rows, dims], [rows, width], [numbers in the buffer]
  };
  Gradients backward(const Tensor& by_output, const Tensor& by_products);
  const float* parameters() const { return parameters_; }

 private:
  AlongInput input() const;

  AlongShape shape_;
  const float* parameters_;
  Tensor first_, shift_, z_;
  MlpAlong along_;
};

struct AlongFunction : public torch::autograd::Function<AlongFunction> {
  using Context = torch::autograd::AutogradContext;
  /// `x` is the state in `first`; `parts` are the parameters of the layers, which lie in the
  /// buffer.
  static std::vector<Tensor> forward(Context* context, const AlongShape& shape,
                                     const float* parameters, const Tensor& x, const Tensor& first,
                                     const std::optional<Tensor>& shift, const Tensor& z,
                                     at::TensorList parts);
  static std::vector<Tensor> backward(Context* context, const std::vector<Tensor>& gradients);
};

}  // namespace gradatim::neural
