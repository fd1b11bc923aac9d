#include "gradatim/neural/nn/unet_fused.h"

#include "gradatim/neural/nn/unet_fused_parts.h"

namespace gradatim::neural {
namespace fused {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct ConvolutionGradients {
  Tensor x, weight, bias;
};

ConvolutionGradients convolution_backward(const Numbers& in, const Tensor& dy, const Tensor& x,
                                          const Tensor& weight, bool of_weight) {
  auto [dx, dw, db] =
      at::convolution_backward(in(dy), in(x), in(weight), {{weight.size(0)}}, {1, 1}, {1, 1},
                               {1, 1}, false, {0, 0}, 1, {true, of_weight, of_weight});
  const auto whole = [](const Tensor& each) { return each.defined() ? each.to(at::kFloat) : each; };
  return {whole(dx), whole(dw), whole(db)};
}

class ResidualFunction : public torch::autograd::Function<ResidualFunction> {
 public:
  // Places of what backward() needs among the saved tensors.
  enum Saved {
    kX,
    kSkip,
    kModulation,
    kMask,
    kGain1,
    kBias1,
    kWeight1,
    kGain2,
    kBias2,
    kWeight2,
    kShortcut,
    kStatistics1,
    kStatistics2,
    kIn1,
    kMid,
    kIn2
  };
  static constexpr std::size_t kInputs = 14;

  static Tensor forward(AutogradContext* ctx, const Tensor& x_in, const MaybeTensor& skip_in,
                        const MaybeTensor& modulation_in, const MaybeTensor& mask_in,
                        const Tensor& gain1, const Tensor& bias1, const Tensor& weight1,
                        const Tensor& shift1, const Tensor& gain2, const Tensor& bias2,
                        const Tensor& weight2, const Tensor& shift2, const MaybeTensor& shortcut_in,
                        const MaybeTensor& shift, std::int64_t groups, double epsilon,
                        bool scale_shift) {
    const OwnCasts casts;
    const Numbers& in = casts.numbers;
    const Tensor x = channels_last(x_in), skip = channels_last(tensor(skip_in));
    const Tensor mask = tensor(mask_in), shortcut = tensor(shortcut_in);
    const Tensor modulation = tensor(modulation_in);
    const Tensor statistics1 = statistics_for(x, groups), statistics2 = statistics_for(x, groups);
    const Tensor in1 = empty_image(x, gain1.size(0));
    kernel::group_norm(problem(x, skip, gain1, bias1, groups, epsilon, true, {}, statistics1),
                       room(in1));
    const Tensor mid = in.convolved(in1, weight1, shift1);
    const Tensor in2 = empty_image(x, gain2.size(0));
    kernel::group_norm(problem(mid, {}, gain2, bias2, groups, epsilon, true,
                               around(modulation, scale_shift), statistics2),
                       room(in2));
    if (mask.defined()) in2.mul_(mask.permute({0, 3, 1, 2}));
    const Tensor sum = in.convolved(in2, weight2, shift2);
    if (shortcut.defined()) {
      const Tensor flat = shortcut.flatten(1).t();  // [in, out]
      const Tensor rows = pixels(sum);
      in.add_product(rows.add_(*shift), pixels(x), flat.narrow(0, 0, x.size(1)));
      if (skip.defined()) {
        in.add_product(rows, pixels(skip), flat.narrow(0, x.size(1), skip.size(1)));
      }
    } else {
      sum.add_(x);
    }
    ctx->save_for_backward({x, skip, modulation, mask, gain1, bias1, weight1, gain2, bias2, weight2,
                            shortcut, statistics1, statistics2, in(in1), mid, in(in2)});
    ctx->saved_data["low"] = casts.low;
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["epsilon"] = epsilon;
    ctx->saved_data["scale_shift"] = scale_shift;
    return sum;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const std::int64_t groups = ctx->saved_data["groups"].toInt();
    const double epsilon = ctx->saved_data["epsilon"].toDouble();
    const bool scale_shift = ctx->saved_data["scale_shift"].toBool();
    const bool learns = saved[kWeight1].requires_grad();
    const Tensor &x = saved[kX], &skip = saved[kSkip], &shortcut = saved[kShortcut];
    const Tensor dy = channels_last(gradients[0]);
    const Numbers in(ctx->saved_data["low"].toBool());

    auto second = convolution_backward(in, dy, saved[kIn2], saved[kWeight2], learns);
    second.x = channels_last(second.x);
    if (saved[kMask].defined()) second.x.mul_(saved[kMask].permute({0, 3, 1, 2}));
    const NormGradients norm2 =
        backward_of(problem(saved[kMid], {}, saved[kGain2], saved[kBias2], groups, epsilon, true,
                            around(saved[kModulation], scale_shift), saved[kStatistics2]),
                    saved[kMid], {}, second.x, {}, {});
    auto first = convolution_backward(in, norm2.x, saved[kIn1], saved[kWeight1], learns);

    Tensor add_x = dy, add_skip, dshortcut, dshift;
    if (shortcut.defined()) {
      const Tensor flat = shortcut.flatten(1), rows = pixels(dy);
      add_x = in.product(rows, flat.narrow(1, 0, x.size(1)));
      if (skip.defined()) add_skip = in.product(rows, flat.narrow(1, x.size(1), skip.size(1)));
      if (learns) {
        Tensor of_flat = in.product(rows.t(), pixels(x));
        if (skip.defined()) of_flat = at::cat({of_flat, in.product(rows.t(), pixels(skip))}, 1);
        dshortcut = of_flat.view(shortcut.sizes());
        dshift = second.bias;
      }
    }
    const NormGradients norm1 = backward_of(problem(x, skip, saved[kGain1], saved[kBias1], groups,
                                                    epsilon, true, {}, saved[kStatistics1]),
                                            x, skip, channels_last(first.x), add_x, add_skip);
    variable_list out{norm1.x,      norm1.skip,    scale_shift ? norm2.modulation : norm2.offset,
                      Tensor(),     norm1.gain,    norm1.bias,
                      first.weight, first.bias,    norm2.gain,
                      norm2.bias,   second.weight, second.bias,
                      dshortcut,    dshift};
    out.resize(kInputs + 3);  // and nothing for groups, epsilon, scale_shift
    return out;
  }
};

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x_in, const Tensor& gain,
                        const Tensor& bias, std::int64_t groups, double epsilon, bool silu) {
    const Tensor x = channels_last(x_in), statistics = statistics_for(x, groups);
    const Tensor y = empty_image(x, x.size(1));
    kernel::group_norm(problem(x, {}, gain, bias, groups, epsilon, silu, {}, statistics), room(y));
    ctx->save_for_backward({x, gain, bias, statistics});
    ctx->saved_data["silu"] = silu;
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["epsilon"] = epsilon;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const NormGradients norm =
        backward_of(problem(saved[0], {}, saved[1], saved[2], ctx->saved_data["groups"].toInt(),
                            ctx->saved_data["epsilon"].toDouble(), ctx->saved_data["silu"].toBool(),
                            {}, saved[3]),
                    saved[0], {}, channels_last(gradients[0]), {}, {});
    return {norm.x, norm.gain, norm.bias, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace
}  // namespace fused

Tensor fused_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x,
                      const Tensor& skip, const Tensor& modulation, const Tensor& mask) {
  if (only_forward() && !mask.defined()) {
    return forward_residual(block, scale_shift, x, skip, modulation);
  }
  const bool projects = block.shortcut.has_value();
  return fused::ResidualFunction::apply(
      x, fused::maybe(skip), fused::maybe(modulation), fused::maybe(mask), block.norm1.gain,
      block.norm1.bias, block.conv1.weight.tensor(), block.conv1.bias, block.norm2.gain,
      block.norm2.bias, block.conv2.weight.tensor(), block.conv2.bias,
      projects ? fused::MaybeTensor(block.shortcut->weight.tensor()) : std::nullopt,
      projects ? fused::MaybeTensor(block.shortcut->bias) : std::nullopt, block.norm1.groups,
      block.norm1.epsilon, scale_shift);
}

Tensor fused_norm(const Norm& norm, const Tensor& x) {
  return fused::NormFunction::apply(x, norm.gain, norm.bias, norm.groups, norm.epsilon, false);
}

Tensor fused_norm_silu(const Norm& norm, const Tensor& x) {
  return fused::NormFunction::apply(x, norm.gain, norm.bias, norm.groups, norm.epsilon, true);
}

}  // namespace gradatim::neural
