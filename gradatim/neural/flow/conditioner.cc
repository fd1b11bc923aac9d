#include "gradatim/neural/flow/conditioner.h"

#include "gradatim/neural/nn/activated.h"

namespace gradatim::neural {

Conditioner::Conditioner(const Scope& scope, std::int64_t in, std::int64_t context,
                         std::int64_t out, const ConditionerConfig& config)
    : in_(in), context_(context), activation_(config.activation) {
  std::int64_t width = std::max<std::int64_t>(in + context, 1);
  for (int k = 0; k <= config.layers; ++k) {
    const bool last = k == config.layers;
    const std::int64_t next = last ? out : config.width;
    const Init init = last ? Init::constant(0.0) : Init::of_inputs(width);
    const Scope layer = scope / "layers" / k;
    weights_.push_back(layer.add("weight", {next, width}, init));
    biases_.push_back(layer.add("bias", {next}, init));
    width = next;
  }
}

Tensor Conditioner::operator()(const Tensor& x, const Tensor& context) const {
  Tensor h = x;
  if (in_ + context_ == 0) {
    h = at::zeros({x.size(0), 1}, x.options());
  } else if (context_ > 0) {
    h = at::cat({x, context}, 1);
  }
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    if (k > 0) h = activated(activation_, h);
    h = at::linear(h, weights_[k], biases_[k]);
  }
  return h;
}

}  // namespace gradatim::neural
