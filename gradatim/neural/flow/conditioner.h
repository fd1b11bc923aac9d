// Conditioner: a multilayer perceptron that says the parameters of a ScalarMap from what a step
// leaves as it is, and from the context.
//
// What comes out can be differentiated once (nn/perceptron.h).
#pragma once

#include <cstdint>

#include "gradatim/neural/network/mlp.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/nn/perceptron.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

struct ConditionerConfig {
  int width = 64;
  int layers = 2;  // hidden ones, at least 1
  Activation activation = Activation::relu;
  bool identity = true;  // whether the last layer begins at 0, so that the step changes nothing
};

/// Of a bijection's settings.
template <class Config>
ConditionerConfig conditioner_of(const Config& config) {
  return {.width = config.width, .layers = config.layers, .activation = config.activation};
}

class Conditioner {
 public:
  /// `in` and `context` may both be 0: then it says the same of every row.
  Conditioner(const Scope& scope, std::int64_t in, std::int64_t context, std::int64_t out,
              const ConditionerConfig& config);
  /// x [rows, in], context [rows, context] or undefined -> [rows, out].
  Tensor operator()(const Tensor& x, const Tensor& context) const;

 private:
  std::int64_t in_, context_;
  Perceptron layers_;
};

}  // namespace gradatim::neural
