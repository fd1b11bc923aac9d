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
  enum Saved { kQuery, kKey, kValue, kLogsum, kMixed };

  static Tensor forward(AutogradContext* ctx, const Tensor& query_in, const Tensor& key_in,
                        const Tensor& value_in, std::int64_t heads) {
    const Tensor query = query_in.contiguous(), key = key_in.contiguous();
    const Tensor value = value_in.contiguous();
    const Tensor logsum = at::empty({query.size(0), heads, query.size(1)}, query.options());
    const Tensor mixed = at::empty_like(query);
    kernel::attention(mix_of(query, key, value, logsum, heads), room(mixed));
    ctx->save_for_backward({query, key, value, logsum, mixed});
    ctx->saved_data["heads"] = heads;
    return mixed;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor dquery = at::empty_like(saved[kQuery]), dkey = at::empty_like(saved[kKey]);
    const Tensor dvalue = at::empty_like(saved[kValue]), dout = gradients[0].contiguous();
    kernel::attention_backward(mix_of(saved[kQuery], saved[kKey], saved[kValue], saved[kLogsum],
                                      ctx->saved_data["heads"].toInt()),
                               numbers(saved[kMixed]), numbers(dout), room(dquery), room(dkey),
                               room(dvalue));
    return {dquery, dkey, dvalue, Tensor()};
  }

 private:
  static kernel::Attention mix_of(const Tensor& query, const Tensor& key, const Tensor& value,
                                  const Tensor& logsum, std::int64_t heads) {
    return {.rows = query.size(0),
            .tokens = query.size(1),
            .keys = key.size(1),
            .heads = heads,
            .width = query.size(2) / heads,
            .query = numbers(query),
            .key = numbers(key),
            .value = numbers(value),
            .query_stride = query.size(2),
            .key_stride = key.size(2),
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
    const Tensor change = at::empty_like(projected), dout = gradients[0].contiguous();
    kernel::geglu_backward(projected.numel() / projected.size(-1), projected.size(-1) / 2,
                           numbers(projected), numbers(dout), room(change));
    return {change};
  }
};

}  // namespace
}  // namespace fused

Tensor fused_mix(const Tensor& query, const Tensor& key, const Tensor& value, std::int64_t heads) {
  return fused::MixFunction::apply(query, key, value, heads);
}

Tensor fused_geglu(const Tensor& projected) { return fused::GegluFunction::apply(projected); }

}  // namespace gradatim::neural
