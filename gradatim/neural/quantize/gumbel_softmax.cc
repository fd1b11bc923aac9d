// A distribution q = softmax(W z + b) over codes, drawn from by y = softmax((W z + b + g) / t), g
// Gumbel noise; the decoder sees sum y_k e_k, or with the same gradient the e_k of the largest y.
// The loss of a vector is kl_weight KL(q, uniform).
#include "gradatim/neural/quantizer/gumbel_softmax.h"

#include <array>
#include <cmath>

#include "gradatim/core/philox.h"
#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/quantize/vector_quantizer.h"

namespace gradatim::neural {
namespace {

// Of vectors `first` and on, four numbers a draw of 128 bits.
Tensor gumbel_noise(const QuantizeStep& step, std::int64_t vectors, std::int64_t codes) {
  const Philox draws(step.seed, Stream::gumbel, static_cast<std::uint32_t>(step.step));
  const std::int64_t blocks = (codes + 3) / 4;
  const Tensor uniform = at::empty({vectors, blocks * 4}, at::kFloat);
  auto* const to = uniform.data_ptr<float>();
  at::parallel_for(0, vectors * blocks, 1 << 12, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = step.first * blocks;
    for (std::int64_t k = begin; k < end; ++k) {
      const PhiloxBlock bits = draws.block(static_cast<std::uint64_t>(first + k));
      for (std::size_t j = 0; j < 4; ++j) {
        // In (0, 1): 23 bits and a half, which floats hold.
        to[4 * k + static_cast<std::int64_t>(j)] =
            (static_cast<float>(bits[j] >> 9) + 0.5F) * 0x1p-23F;
      }
    }
  });
  return uniform.narrow(1, 0, codes).log_().neg_().log_().neg_();
}

class GumbelSoftmax final : public VectorQuantizer {
 public:
  GumbelSoftmax(const Scope& scope, std::int64_t dims, const GumbelSoftmaxConfig& config)
      : config_(config),
        logits_(scope / "logits", dims, config.codes),
        codebook_(scope.add("codebook", {config.codes, dims}, Init::normal(1.0))),
        size_{config.codes} {}

  std::span<const std::int64_t> sizes() const override { return size_; }

  Quantized quantize(const Tensor& z, const QuantizeStep& step) override {
    const Tensor log_q = logits_(z).log_softmax(1);
    const Tensor y =
        ((log_q + gumbel_noise(step, z.size(0), config_.codes)) / temperature(step)).softmax(1);
    const Tensor codes = y.detach().argmax(1);
    Tensor mixed = y;
    if (config_.hard)
      mixed = passed_through(y, at::zeros_like(y).scatter_(1, codes.unsqueeze(1), 1));
    const double uniform = std::log(static_cast<double>(config_.codes));
    const Tensor divergence = (log_q.exp() * (log_q + uniform)).sum();
    return {codes.unsqueeze(1), mixed.matmul(codebook_), config_.kl_weight * divergence};
  }

  Tensor codes(const Tensor& z) const override { return logits_(z).argmax(1, /*keepdim=*/true); }
  Tensor decode(const Tensor& codes) const override {
    return codebook_.index_select(0, codes.select(1, 0));
  }

 private:
  double temperature(const QuantizeStep& step) const {
    const double done = static_cast<double>(step.step) /
                        static_cast<double>(std::max<std::int64_t>(1, step.steps - 1));
    return config_.temperature * std::pow(config_.last_temperature / config_.temperature, done);
  }

  GumbelSoftmaxConfig config_;
  Dense logits_;
  Tensor codebook_;  // [codes, dims]
  std::array<std::int64_t, 1> size_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeQuantizer gradatim_make_gumbel_softmax;

gradatim::neural::VectorQuantizer* gradatim_make_gumbel_softmax(
    const void* config, const gradatim::neural::Scope& scope, std::int64_t dims) {
  using namespace gradatim::neural;
  return new GumbelSoftmax(scope, dims, *static_cast<const GumbelSoftmaxConfig*>(config));
}
}
