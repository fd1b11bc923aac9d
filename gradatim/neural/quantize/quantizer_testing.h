// A quantiser of some settings with its parameters, and what a pass of training gives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/neural/quantize/vector_quantizer.h"
#include "gradatim/neural/size.h"
#include "gradatim/neural/testing.h"

namespace gradatim::neural::testing {

inline Tensor normal_vectors(std::int64_t rows, std::int64_t dims, std::uint64_t seed) {
  std::vector<double> numbers(to_size(rows * dims));
  normals(Philox(seed, Stream::data), 0, numbers);
  return at::tensor(at::ArrayRef<double>(numbers), at::kDouble).to(at::kFloat).view({rows, dims});
}

/// As many clusters as `centres` has rows, of sizes that fall by powers, narrow and far apart.
inline Tensor clustered(std::int64_t rows, std::int64_t clusters, std::int64_t dims) {
  const Tensor centres = normal_vectors(clusters, dims, 21) * 3.0;
  const Philox draws(22, Stream::data, 1);
  std::vector<std::int64_t> of;
  for (std::int64_t k = 0; k < rows; ++k) {
    const double u = draws.uniform(static_cast<std::uint64_t>(k));
    of.push_back(static_cast<std::int64_t>(u * u * static_cast<double>(clusters)));
  }
  return centres.index_select(0, at::tensor(of)) + normal_vectors(rows, dims, 23) * 0.05;
}

struct Pass {
  Tensor codes, vectors, by_z;
  double loss = 0.0;
};

struct MadeQuantizer {
  std::shared_ptr<const Quantizer> settings;
  Parameters parameters;
  std::unique_ptr<VectorQuantizer> quantizer;

  MadeQuantizer(const std::string& name, std::int64_t dims,
                const std::vector<api::Option>& options = {})
      : settings(make<Quantizer>("neural.quantizer." + name, options)),
        quantizer(make_quantizer(*settings, Scope(parameters), dims)) {
    parameters.pack();
    parameters.init(7);
    parameters.require_gradients(true);
  }

  Tensor named(const std::string& name) const {
    for (const auto& item : parameters.items()) {
      if (item.name == name) return item.value;
    }
    return {};
  }

  /// Of (weight vectors).sum() + by_loss loss; adds its gradients. The vectors are those of rows
  /// `first` and on among `all`.
  Pass pass(const Tensor& given, const Tensor& weight, double by_loss, QuantizeStep step = {}) {
    if (step.all == 0) step.all = given.size(0);
    const at::AutoGradMode graph(true);
    const Tensor z = given.detach().clone().requires_grad_();
    const Quantized made = quantizer->quantize(z, step);
    Tensor total = (made.vectors * weight).sum();
    if (made.loss.defined()) total = total + by_loss * made.loss;
    const at::AutoGradMode plain(false);
    torch::autograd::backward({total}, {at::ones_like(total)});
    return {made.codes, made.vectors.detach(), z.grad(),
            made.loss.defined() ? made.loss.item<double>() : 0.0};
  }

  /// Steps of training on the same vectors.
  void train(const Tensor& z, std::int64_t steps) {
    for (std::int64_t step = 0; step < steps; ++step) {
      const QuantizeStep here{.seed = 3, .step = step, .steps = steps, .all = z.size(0)};
      pass(z, at::zeros_like(z), 1.0, here);
      quantizer->update(here);
      parameters.gradients().zero_();
    }
  }

  /// The share of codes that some vector has.
  double alive(const Tensor& z) const {
    const at::NoGradGuard plain;
    const Tensor codes = quantizer->codes(z).select(1, 0);
    const auto size = quantizer->sizes()[0];
    return at::bincount(codes, {}, size).gt(0).sum().item<double>() / static_cast<double>(size);
  }
};

}  // namespace gradatim::neural::testing
