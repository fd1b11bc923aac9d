#include "gradatim/neural/flow/contraction.h"

#include <cmath>

namespace gradatim::neural {
namespace {

constexpr int kSquarings = 6;        // an order of 4 * 2^6
constexpr double kTiniest = 1e-30;   // for matrices of zeros
constexpr double kSwishSlope = 1.1;  // above the largest of z sigmoid(z), 1.09984

// The gradient of the norm: with G = W'W, W G^(2^(k+1) - 1) of a size that Euler's theorem tells.
Tensor norm_gradient(const Tensor& matrix) {
  const at::NoGradGuard plain;
  const bool tall = matrix.size(0) >= matrix.size(1);
  const Tensor w = tall ? matrix.detach() : matrix.detach().t();
  Tensor power = w.t().mm(w);
  Tensor log_size = power.norm().clamp_min(kTiniest).log();
  power = power / log_size.exp();
  Tensor direction = w.mm(power);
  for (int k = 0; k < kSquarings; ++k) {
    power = power.mm(power);
    const Tensor size = power.norm().clamp_min(kTiniest);
    power = power / size;
    log_size = 2.0 * log_size + size.log();
    direction = direction.mm(power);
    direction = direction / direction.norm().clamp_min(kTiniest);
  }
  const Tensor norm = (log_size * std::exp2(-(kSquarings + 1))).exp();
  direction = direction * (norm / (direction * w).sum().clamp_min(kTiniest));
  return tall ? direction : direction.t();
}

}  // namespace

// A norm is the product of its gradient and the matrix.
Tensor spectral_bound(const Tensor& matrix) { return (norm_gradient(matrix) * matrix).sum(); }

Contraction::Contraction(const Scope& scope, std::int64_t dims, std::int64_t context,
                         const ContractionConfig& config)
    : bound_(std::pow(config.lipschitz, 1.0 / (config.layers + 1))) {
  std::int64_t in = dims;
  for (int k = 0; k <= config.layers; ++k) {
    const bool last = k == config.layers;
    const std::int64_t out = last ? dims : config.width;
    const Init init = last ? Init::constant(0.0) : Init::of_inputs(in);
    const Scope layer = scope / "layers" / k;
    weights_.push_back(layer.add("weight", {out, in}, init));
    biases_.push_back(layer.add("bias", {out}, init));
    in = out;
  }
  if (context > 0) {
    told_ = scope.add("context.weight", {config.width, context}, Init::of_inputs(context));
  }
}

std::vector<Tensor> Contraction::matrices() const {
  std::vector<Tensor> bounded;
  for (const Tensor& weight : weights_) {
    bounded.push_back(weight * (bound_ / spectral_bound(weight).clamp_min(bound_)));
  }
  return bounded;
}

Contraction::Passed Contraction::pass(const std::vector<Tensor>& matrices, const Tensor& x,
                                      const Tensor& context, bool wanted) const {
  Passed passed;
  Tensor h = x;
  for (std::size_t k = 0; k + 1 < matrices.size(); ++k) {
    Tensor z = at::linear(h, matrices[k], biases_[k]);
    if (k == 0 && told_.defined()) z = z + at::linear(context, told_);
    if (!wanted) {
      h = at::silu(z) / kSwishSlope;
      continue;
    }
    const Tensor gate = at::sigmoid(z);
    h = z * gate / kSwishSlope;
    passed.slopes.push_back((gate / kSwishSlope + h * (1.0 - gate)).unsqueeze(1));
  }
  passed.g = at::linear(h, matrices.back(), biases_.back());
  return passed;
}

Tensor Contraction::along(const std::vector<Tensor>& matrices, const std::vector<Tensor>& slopes,
                          const Tensor& v) {
  Tensor tangent = v;
  for (std::size_t k = 0; k < matrices.size(); ++k) {
    tangent = at::matmul(tangent, matrices[k].t());
    if (k < slopes.size()) tangent = tangent * slopes[k];
  }
  return tangent;
}

}  // namespace gradatim::neural
