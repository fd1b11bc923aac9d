// Signs of a few numbers z are the bits of a code, the first the lowest. With p = sigmoid(4 z / t)
// and the moving average m of p over batches, the loss of a vector is, mean over bits,
//
//   commitment (z - sign z)^2 + entropy (H(p) - diversity (H(m) + H'(m) (p - m))),
//
// H the entropy of a bit. The last term, the tangent of H at m, stands for the entropy of the mean
// of p, whose gradient it has where m is that mean; unlike it, it is a sum over vectors.
#include "gradatim/neural/quantizer/lookup_free.h"

#include <array>

#include "gradatim/neural/quantize/codebook_function.h"
#include "gradatim/neural/quantize/few_numbers.h"
#include "gradatim/neural/quantize/vector_quantizer.h"

namespace gradatim::neural {
namespace {

// H of a bit of probability sigmoid(x), in nats.
Tensor bit_entropy(const Tensor& x) { return at::softplus(x) - x * at::sigmoid(x); }

class LookupFree final : public VectorQuantizer {
 public:
  LookupFree(const Scope& scope, std::int64_t dims, const LookupFreeConfig& config)
      : config_(config),
        few_(scope, dims, config.bits),
        mean_(scope.add("mean", {config.bits}, Init::constant(0.5))),
        count_(scope.add("count", {1}, Init::constant(0.0))),
        size_{std::int64_t{1} << config.bits},
        place_(at::bitwise_left_shift(at::ones({config.bits}, at::kLong),
                                      at::arange(config.bits, at::kLong))) {}

  std::span<const std::int64_t> sizes() const override { return size_; }

  Quantized quantize(const Tensor& z, const QuantizeStep& /*step*/) override {
    const Tensor numbers = few_.in(z), signs = sign_of(numbers.detach());
    const Tensor logits = numbers * (4.0 / config_.temperature), p = at::sigmoid(logits);
    {
      const at::NoGradGuard plain;
      mean_.mutable_grad().add_(p.detach().sum(0));
      count_.mutable_grad().add_(static_cast<double>(z.size(0)));
    }
    const Tensor m = mean_.detach().clamp(1e-6, 1.0 - 1e-6), slope = at::logit(m).neg();
    const Tensor used = bit_entropy(at::logit(m)) + slope * (p - m);
    const Tensor loss = config_.commitment * (numbers - signs).square() +
                        config_.entropy * (bit_entropy(logits) - config_.diversity * used);
    return {code_of(signs), few_.out(passed_through(numbers, signs)),
            loss.sum() / static_cast<double>(config_.bits)};
  }

  void update(const QuantizeStep& /*step*/) override {
    const at::NoGradGuard plain;
    const Tensor sum = mean_.mutable_grad(), count = count_.mutable_grad();
    mean_.lerp_(sum / count.clamp_min(1.0), 1.0 - config_.decay);
    sum.zero_();
    count.zero_();
  }

  Tensor codes(const Tensor& z) const override { return code_of(sign_of(few_.in(z))); }
  Tensor decode(const Tensor& codes) const override {
    const Tensor bits = codes.bitwise_and(place_).ne(0).to(at::kFloat);  // [vectors, bits]
    return few_.out(bits * 2.0 - 1.0);
  }

 private:
  static Tensor sign_of(const Tensor& numbers) {
    return numbers.gt(0.0).to(at::kFloat) * 2.0 - 1.0;
  }
  Tensor code_of(const Tensor& signs) const {
    return (signs.gt(0.0).to(at::kLong) * place_).sum(1, /*keepdim=*/true);
  }

  LookupFreeConfig config_;
  FewNumbers few_;
  Tensor mean_;   // [bits]; its gradient holds the sums of a batch
  Tensor count_;  // [1]: 0; its gradient holds the number of the batch's vectors
  std::array<std::int64_t, 1> size_;
  Tensor place_;  // [bits]
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeQuantizer gradatim_make_lookup_free;

gradatim::neural::VectorQuantizer* gradatim_make_lookup_free(const void* config,
                                                             const gradatim::neural::Scope& scope,
                                                             std::int64_t dims) {
  using namespace gradatim::neural;
  return new LookupFree(scope, dims, *static_cast<const LookupFreeConfig*>(config));
}
}
