// Attention of a U-Net's block (unet_fused.h).
#include "gradatim/neural/nn/kernel/attention.h"
#include "gradatim/neural/nn/unet_fused.h"
#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class AttentionFunction : public torch::autograd::Function<AttentionFunction> {
 public:
  enum Saved { kX, kNormal, kQkv, kMixed, kLogsum, kGain, kBias, kStatistics, kWeight, kOut };

  static Tensor forward(AutogradContext* ctx, const Tensor& x_in, const MaybeTensor& gain_in,
                        const MaybeTensor& bias_in, const Tensor& query, const Tensor& query_bias,
                        const Tensor& key, const Tensor& key_bias, const Tensor& value,
                        const Tensor& value_bias, const Tensor& out, const Tensor& out_bias,
                        std::int64_t groups, double epsilon, std::int64_t heads) {
    const OwnCasts casts;
    const Numbers& in = casts.numbers;
    const Tensor x = channels_last(x_in), gain = tensor(gain_in), bias = tensor(bias_in);
    Tensor normal = x, statistics;
    if (gain.defined()) {
      statistics = statistics_for(x, groups);
      normal = empty_image(x, x.size(1));
      kernel::group_norm(problem(x, {}, gain, bias, groups, epsilon, false, {}, statistics),
                         room(normal));
    }
    const Tensor weight = at::cat({query, key, value});
    const Tensor qkv =
        in.sum(at::cat({query_bias, key_bias, value_bias}), pixels(normal), weight.t());
    const Tensor mixed = at::empty_like(pixels(x));
    const Tensor logsum =
        at::empty({x.size(0), heads, x.size(2) * x.size(3)}, at::TensorOptions(at::kFloat));
    kernel::attention(attention_of(x, qkv, logsum, heads), room(mixed));
    const Tensor sum = in.sum(out_bias, mixed, out.t()).add_(pixels(x));
    ctx->save_for_backward({x, normal, qkv, mixed, logsum, gain, bias, statistics, weight, out});
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["epsilon"] = epsilon;
    ctx->saved_data["heads"] = heads;
    ctx->saved_data["low"] = casts.low;
    return image(sum, x);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const Tensor& x = saved[kX];
    const Tensor dy = channels_last(gradients[0]), rows = pixels(dy);
    const Numbers in(ctx->saved_data["low"].toBool());
    const Tensor dmixed = in.product(rows, saved[kOut]);
    const Tensor dqkv = at::empty_like(saved[kQkv]);
    const std::int64_t all = x.size(1);
    kernel::attention_backward(
        attention_of(x, saved[kQkv], saved[kLogsum], ctx->saved_data["heads"].toInt()),
        numbers(saved[kMixed]), numbers(dmixed), room(dqkv), room(dqkv) + all,
        room(dqkv) + 2 * all);
    const Tensor dnormal = in.product(dqkv, saved[kWeight]);
    NormGradients norm;
    if (saved[kGain].defined()) {
      norm =
          backward_of(problem(x, {}, saved[kGain], saved[kBias], ctx->saved_data["groups"].toInt(),
                              ctx->saved_data["epsilon"].toDouble(), false, {}, saved[kStatistics]),
                      x, {}, dnormal, dy, {});
    } else {
      norm.x = image(dnormal.add_(rows), x);
    }
    variable_list out{norm.x, norm.gain, norm.bias};
    if (saved[kOut].requires_grad()) {
      const auto weights = in.product(dqkv.t(), pixels(saved[kNormal])).chunk(3);
      const auto biases = dqkv.sum(0).chunk(3);
      for (std::size_t k = 0; k < 3; ++k) {
        out.push_back(weights[k]);
        out.push_back(biases[k]);
      }
      out.push_back(in.product(rows.t(), saved[kMixed]));
      out.push_back(rows.sum(0));
    }
    out.resize(14);  // of forward()'s arguments
    return out;
  }

 private:
  static kernel::Attention attention_of(const Tensor& x, const Tensor& qkv, const Tensor& logsum,
                                        std::int64_t heads) {
    return kernel::self_attention(x.size(0), x.size(2) * x.size(3), heads, x.size(1) / heads,
                                  numbers(qkv), room(logsum));
  }
};

}  // namespace
}  // namespace fused

Tensor fused_attention(const AttentionBlock& block, const Tensor& x) {
  return fused::AttentionFunction::apply(
      x, fused::maybe(block.norm.gain), fused::maybe(block.norm.bias), block.query.weight.tensor(),
      block.query.bias, block.key.weight.tensor(), block.key.bias, block.value.weight.tensor(),
      block.value.bias, block.out.weight.tensor(), block.out.bias, block.norm.groups,
      block.norm.epsilon, block.heads);
}

}  // namespace gradatim::neural
