#include "gradatim/neural/flow/made.h"

#include "gradatim/neural/nn/activated.h"

namespace gradatim::neural {

Made::Made(const Scope& scope, std::int64_t dims, std::int64_t context, std::int64_t each,
           bool reversed, const ConditionerConfig& config)
    : dims_(dims),
      context_(context),
      each_(each),
      reversed_(reversed),
      activation_(config.activation) {
  // Places in the order, from 1; the context is seen by all.
  Tensor places = at::arange(1, dims + 1, at::kLong);
  if (reversed) places = places.flip(0);
  // Without a context, units of degree 0 would hear nothing.
  const std::int64_t least = context == 0 && dims > 1 ? 1 : 0;
  const Tensor units = at::arange(config.width, at::kLong);
  const Tensor degrees = at::floor_divide(units * (dims - least), config.width) + least;

  Tensor seen =
      at::cat({places, at::zeros({context}, at::kLong)});  // degrees of what a layer takes
  for (int k = 0; k <= config.layers; ++k) {
    const bool last = k == config.layers;
    const std::int64_t in = seen.size(0), out = last ? each * dims : config.width;
    const Tensor own = last ? (places - 1).repeat({each}) : degrees;
    const Init init = last ? Init::constant(0.0) : Init::of_inputs(in);
    const Scope layer = scope / "layers" / k;
    weights_.push_back(layer.add("weight", {out, in}, init));
    biases_.push_back(layer.add("bias", {out}, init));
    degrees_.emplace_back(own, seen);
    seen = degrees;
  }
}

std::vector<Tensor> Made::weights() const {
  std::call_once(masked_, [this] {
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      const auto& [own, seen] = degrees_[k];
      masks_.push_back(
          (own.unsqueeze(1) >= seen.unsqueeze(0)).to(weights_[k].device(), at::kFloat));
    }
  });
  std::vector<Tensor> masked;
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    masked.push_back(weights_[k] * masks_[k]);
  }
  return masked;
}

Tensor Made::hidden(const std::vector<Tensor>& weights, const Tensor& x,
                    const Tensor& context) const {
  Tensor h = context_ > 0 ? at::cat({x, context}, 1) : x;
  for (std::size_t k = 0; k + 1 < weights.size(); ++k) {
    h = activated(activation_, at::linear(h, weights[k], biases_[k]));
  }
  return h;
}

Tensor Made::operator()(const std::vector<Tensor>& weights, const Tensor& x,
                        const Tensor& context) const {
  const Tensor h = hidden(weights, x, context);
  return at::linear(h, weights.back(), biases_.back()).view({x.size(0), each_, dims_});
}

Tensor Made::of_number(const std::vector<Tensor>& weights, const Tensor& x, const Tensor& context,
                       std::int64_t number) const {
  const auto of = [&](const Tensor& all) { return all.slice(0, number, {}, dims_); };
  const Tensor h = hidden(weights, x, context);
  return at::linear(h, of(weights.back()), of(biases_.back())).unsqueeze(2);
}

}  // namespace gradatim::neural
