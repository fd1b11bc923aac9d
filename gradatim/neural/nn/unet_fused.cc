#include "gradatim/neural/nn/unet_fused.h"

#include "gradatim/neural/nn/kernel/attention.h"
#include "gradatim/neural/nn/kernel/group_norm.h"
#include "gradatim/neural/nn/precision.h"

namespace gradatim::neural {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
/// Of autograd's functions, undefined tensors must be none.
using MaybeTensor = std::optional<Tensor>;

MaybeTensor maybe(const Tensor& x) { return x.defined() ? MaybeTensor(x) : std::nullopt; }
Tensor tensor(const MaybeTensor& x) { return x.value_or(Tensor()); }

Tensor channels_last(const Tensor& x) {
  return x.defined() ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
}

// [rows * pixels, channels] of a channels-last image, and back.
Tensor pixels(const Tensor& x) { return x.permute({0, 2, 3, 1}).view({-1, x.size(1)}); }
Tensor image(const Tensor& rows, const Tensor& like) {
  return rows.view({like.size(0), like.size(2), like.size(3), -1}).permute({0, 3, 1, 2});
}

Tensor empty_image(const Tensor& like, std::int64_t channels) {
  return at::empty({like.size(0), channels, like.size(2), like.size(3)},
                   like.options().memory_format(at::MemoryFormat::ChannelsLast));
}

const float* numbers(const Tensor& x) { return x.defined() ? x.const_data_ptr<float>() : nullptr; }
float* room(const Tensor& x) { return x.defined() ? x.data_ptr<float>() : nullptr; }

// What a norm takes besides its parameters: what is added in front, and the scale and shift behind.
struct Around {
  Tensor offset, modulation;  // [rows, channels], [rows, 2 channels]
};

kernel::GroupNorm problem(const Tensor& x, const Tensor& skip, const Tensor& gain,
                          const Tensor& bias, std::int64_t groups, double epsilon, bool silu,
                          const Around& around, const Tensor& statistics) {
  kernel::GroupNorm norm{.rows = x.size(0),
                         .pixels = x.size(2) * x.size(3),
                         .first = x.size(1),
                         .second = skip.defined() ? skip.size(1) : 0,
                         .groups = groups,
                         .epsilon = epsilon,
                         .silu = silu};
  norm.x1 = numbers(x);
  norm.x2 = numbers(skip);
  norm.gain = numbers(gain);
  norm.bias = numbers(bias);
  norm.offset = numbers(around.offset);
  norm.statistics = room(statistics);
  if (around.modulation.defined()) {
    norm.scale = numbers(around.modulation);
    norm.shift = norm.scale + norm.channels();
    norm.modulation_stride = 2 * norm.channels();
  }
  return norm;
}

Tensor statistics_for(const Tensor& x, std::int64_t groups) {
  return at::empty({x.size(0), 2, groups}, x.options().memory_format(std::nullopt));
}

struct NormGradients {
  Tensor x, skip, gain, bias, offset, modulation;
};

NormGradients backward_of(const kernel::GroupNorm& norm, const Tensor& x, const Tensor& skip,
                          const Tensor& dy, const Tensor& add_x, const Tensor& add_skip) {
  NormGradients out;
  const auto plain = at::TensorOptions(at::kFloat);
  out.x = empty_image(x, x.size(1));
  if (skip.defined()) out.skip = empty_image(skip, skip.size(1));
  const Tensor by_row = at::empty({2, norm.rows, norm.channels()}, plain);
  if (norm.offset != nullptr) out.offset = at::empty({norm.rows, norm.channels()}, plain);
  if (norm.scale != nullptr) out.modulation = at::empty({norm.rows, 2 * norm.channels()}, plain);
  kernel::GroupNormGradient gradient{
      .dy = numbers(dy), .add1 = numbers(add_x), .add2 = numbers(add_skip)};
  gradient.dx1 = room(out.x);
  gradient.dx2 = room(out.skip);
  gradient.dgain = room(by_row);
  gradient.dbias = gradient.dgain + norm.rows * norm.channels();
  gradient.doffset = room(out.offset);
  gradient.dscale = room(out.modulation);
  if (gradient.dscale != nullptr) gradient.dshift = gradient.dscale + norm.channels();
  kernel::group_norm_backward(norm, gradient);
  const Tensor sums = by_row.sum(1);
  out.gain = sums[0];
  out.bias = sums[1];
  return out;
}

// What a block multiplies: bfloat16, where it is on (nn/precision.h), or float32. All else of a
// block is float32. Casts are written out here, once a tensor, and not left to torch.
class Numbers {
 public:
  explicit Numbers(bool low) : low_(low) {}

  Tensor operator()(const Tensor& x) const { return low_ && x.defined() ? x.to(at::kBFloat16) : x; }
  Tensor convolved(const Tensor& x, const Tensor& weight, const Tensor& bias) const {
    return channels_last(
        at::conv2d((*this)(x), (*this)(weight), (*this)(bias), 1, 1).to(at::kFloat));
  }
  Tensor product(const Tensor& a, const Tensor& b) const {
    return low_ ? at::mm((*this)(a), (*this)(b)).to(at::kFloat) : at::mm(a, b);
  }
  Tensor sum(const Tensor& bias, const Tensor& a, const Tensor& b) const {
    return low_ ? at::addmm((*this)(bias), (*this)(a), (*this)(b)).to(at::kFloat)
                : at::addmm(bias, a, b);
  }
  void add_product(const Tensor& sum, const Tensor& a, const Tensor& b) const {
    low_ ? sum.add_(at::mm((*this)(a), (*this)(b))) : sum.addmm_(a, b);
  }

 private:
  bool low_;
};

// Of a forward pass: torch's own casts are off as long as it lives.
class OwnCasts {
 public:
  const bool low = Bfloat16::is_on();
  const Numbers numbers{low};

 private:
  c10::impl::ExcludeDispatchKeyGuard off_{c10::DispatchKey::AutocastCPU};
};

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
                        const Tensor& modulation, const MaybeTensor& mask_in, const Tensor& gain1,
                        const Tensor& bias1, const Tensor& weight1, const Tensor& shift1,
                        const Tensor& gain2, const Tensor& bias2, const Tensor& weight2,
                        const Tensor& shift2, const MaybeTensor& shortcut_in,
                        const MaybeTensor& shift, std::int64_t groups, double epsilon,
                        bool scale_shift) {
    const OwnCasts casts;
    const Numbers& in = casts.numbers;
    const Tensor x = channels_last(x_in), skip = channels_last(tensor(skip_in));
    const Tensor mask = tensor(mask_in), shortcut = tensor(shortcut_in);
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

 private:
  static Around around(const Tensor& modulation, bool scale_shift) {
    const Tensor numbers_of = modulation.contiguous();
    return scale_shift ? Around{.modulation = numbers_of} : Around{.offset = numbers_of};
  }
};

class NormFunction : public torch::autograd::Function<NormFunction> {
 public:
  static Tensor forward(AutogradContext* ctx, const Tensor& x_in, const Tensor& gain,
                        const Tensor& bias, std::int64_t groups, double epsilon) {
    const Tensor x = channels_last(x_in), statistics = statistics_for(x, groups);
    const Tensor y = empty_image(x, x.size(1));
    kernel::group_norm(problem(x, {}, gain, bias, groups, epsilon, true, {}, statistics), room(y));
    ctx->save_for_backward({x, gain, bias, statistics});
    ctx->saved_data["groups"] = groups;
    ctx->saved_data["epsilon"] = epsilon;
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const auto saved = ctx->get_saved_variables();
    const NormGradients norm =
        backward_of(problem(saved[0], {}, saved[1], saved[2], ctx->saved_data["groups"].toInt(),
                            ctx->saved_data["epsilon"].toDouble(), true, {}, saved[3]),
                    saved[0], {}, channels_last(gradients[0]), {}, {});
    return {norm.x, norm.gain, norm.bias, Tensor(), Tensor()};
  }
};

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
    kernel::attention_backward(
        attention_of(x, saved[kQkv], saved[kLogsum], ctx->saved_data["heads"].toInt()),
        numbers(saved[kMixed]), numbers(dmixed), room(dqkv));
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
    return {.rows = x.size(0),
            .tokens = x.size(2) * x.size(3),
            .heads = heads,
            .width = x.size(1) / heads,
            .qkv = numbers(qkv),
            .logsum = room(logsum)};
  }
};

}  // namespace

Tensor fused_residual(const ResidualBlock& block, bool scale_shift, const Tensor& x,
                      const Tensor& skip, const Tensor& modulation, const Tensor& mask) {
  const bool projects = block.shortcut.has_value();
  return ResidualFunction::apply(
      x, maybe(skip), modulation, maybe(mask), block.norm1.gain, block.norm1.bias,
      block.conv1.weight, block.conv1.bias, block.norm2.gain, block.norm2.bias, block.conv2.weight,
      block.conv2.bias, projects ? MaybeTensor(block.shortcut->weight) : std::nullopt,
      projects ? MaybeTensor(block.shortcut->bias) : std::nullopt, block.norm1.groups,
      block.norm1.epsilon, scale_shift);
}

Tensor fused_attention(const AttentionBlock& block, const Tensor& x) {
  return AttentionFunction::apply(
      x, maybe(block.norm.gain), maybe(block.norm.bias), block.query.weight, block.query.bias,
      block.key.weight, block.key.bias, block.value.weight, block.value.bias, block.out.weight,
      block.out.bias, block.norm.groups, block.norm.epsilon, block.heads);
}

Tensor fused_norm_silu(const Norm& norm, const Tensor& x) {
  return NormFunction::apply(x, norm.gain, norm.bias, norm.groups, norm.epsilon);
}

}  // namespace gradatim::neural
