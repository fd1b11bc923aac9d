#include "gradatim/neural/flow/conditioner.h"

#include <algorithm>

namespace gradatim::neural {
namespace {

Perceptron layers_of(const Scope& scope, std::int64_t in, std::int64_t out,
                     const ConditionerConfig& config) {
  std::vector<Tensor> weights, biases;
  for (int k = 0; k <= config.layers; ++k) {
    const bool last = k == config.layers;
    const std::int64_t next = last ? out : config.width;
    const Init init = last && config.identity ? Init::constant(0.0) : Init::of_inputs(in);
    const Scope layer = scope / "layers" / k;
    weights.push_back(layer.add("weight", {next, in}, init));
    biases.push_back(layer.add("bias", {next}, init));
    in = next;
  }
  return {std::move(weights), std::move(biases), config.activation};
}

}  // namespace

Conditioner::Conditioner(const Scope& scope, std::int64_t in, std::int64_t context,
                         std::int64_t out, const ConditionerConfig& config)
    : in_(in),
      context_(context),
      layers_(layers_of(scope, std::max<std::int64_t>(in + context, 1), out, config)) {}

Tensor Conditioner::operator()(const Tensor& x, const Tensor& context) const {
  if (in_ + context_ == 0) return layers_(at::zeros({x.size(0), 1}, x.options()));
  return layers_(context_ > 0 ? at::cat({x, context}, 1) : x);
}

}  // namespace gradatim::neural
