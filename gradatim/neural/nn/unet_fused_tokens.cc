// What transformers of a U-Net do to their tokens (unet_fused.h): products and norms of rows are
// torch's, which are good at them.
#include "gradatim/neural/nn/kernel/attention.h"
#include "gradatim/neural/nn/kernel/geglu.h"
#include "gradatim/neural/nn/unet_fused.h"
#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class MixFunction : public torch::autograd::Function<MixFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& given, std::int64_t heads) {
    const Tensor qkv = given.contiguous();
    const Tensor logsum = at::empty({qkv.size(0), heads, qkv.size(1)}, qkv.options());
    const Tensor mixed = at::empty({qkv.size(0), qkv.size(1), qkv.size(2) / 3}, qkv.options());
    kernel::attention(mix_of(qkv, logsum, heads), room(mixed));
    ctx->save_for_backward({qkv, logsum, mixed});
    ctx->saved_data["heads"] = heads;
    return mixed;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dqkv = at::empty_like(saved[0]);
    kernel::attention_backward(mix_of(saved[0], saved[1], ctx->saved_data["heads"].toInt()),
                               numbers(saved[2]), numbers(gradients[0].contiguous()), room(dqkv));
    return {dqkv, Tensor()};
  }

 private:
  static kernel::Attention mix_of(const Tensor& qkv, const Tensor& logsum, std::int64_t heads) {
    return {.rows = qkv.size(0),
            .tokens = qkv.size(1),
            .heads = heads,
            .width = qkv.size(2) / 3 / heads,
            .qkv = numbers(qkv),
            .logsum = room(logsum)};
  }
};

class GegluFunction : public torch::autograd::Function<GegluFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& given) {
    const Tensor projected = given.contiguous();
    std::vector<std::int64_t> sizes = projected.sizes().vec();
    sizes.back() /= 2;
    const Tensor out = at::empty(sizes, projected.options());
    kernel::geglu(projected.numel() / projected.size(-1), sizes.back(), numbers(projected),
                  room(out));
    ctx->save_for_backward({projected});
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const Tensor projected = ctx->get_saved_variables().front();
    const Tensor change = at::empty_like(projected);
    kernel::geglu_backward(projected.numel() / projected.size(-1), projected.size(-1) / 2,
                           numbers(projected), numbers(gradients[0].contiguous()), room(change));
    return {change};
  }
};

}  // namespace
}  // namespace fused

Tensor fused_mix(const Tensor& qkv, std::int64_t heads) {
  return fused::MixFunction::apply(qkv, heads);
}

Tensor fused_geglu(const Tensor& projected) { return fused::GegluFunction::apply(projected); }

}  // namespace gradatim::neural
