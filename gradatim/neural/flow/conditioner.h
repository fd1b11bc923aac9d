// Conditioner: a multilayer perceptron that says the parameters of a ScalarMap from what a step
// leaves as it is, and from the context.
//
// On a processor its passes are written by hand: small ones in blocks of rows through all layers
// (nn/mlp_pass.h), wide ones a layer at a time; gradients of parameters are added where they lie.
// What comes out can be differentiated once.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/network/mlp.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct ConditionerConfig {
  int width = 64;
  int layers = 2;  // hidden ones, at least 1
  Activation activation = Activation::relu;
};

/// Of a bijection's settings.
template <class Config>
ConditionerConfig conditioner_of(const Config& config) {
  return {config.width, config.layers, config.activation};
}

class Conditioner {
 public:
  /// `in` and `context` may both be 0: then it says the same of every row. The last layer begins at
  /// 0.
  Conditioner(const Scope& scope, std::int64_t in, std::int64_t context, std::int64_t out,
              const ConditionerConfig& config);
  /// x [rows, in], context [rows, context] or undefined -> [rows, out].
  Tensor operator()(const Tensor& x, const Tensor& context) const;

 private:
  std::int64_t in_, context_;
  Activation activation_;
  std::vector<Tensor> weights_, biases_;  // [out, in], [out]
};

}  // namespace gradatim::neural
