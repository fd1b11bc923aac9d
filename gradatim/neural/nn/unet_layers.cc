#include "gradatim/neural/nn/unet_layers.h"

#include "gradatim/neural/nn/unet_fused.h"

namespace gradatim::neural {
namespace {

thread_local int plain_layers = 0;

// diffusers' heads become slow beyond this for the kernel of narrow ones.
constexpr std::int64_t kWidestHead = 64, kMostTokens = 4096;

Init weight_init(std::int64_t inputs, bool zero) {
  return zero ? Init::constant(0.0) : Init::of_inputs(inputs);
}

Tensor resampled(Resample how, const Tensor& x, at::IntArrayRef size) {
  if (how == Resample::half) return at::avg_pool2d(x, {2, 2});
  if (how == Resample::none) return x;
  return size.empty() ? at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)})
                      : at::upsample_nearest2d(x, size);
}

}  // namespace

PlainLayers::PlainLayers() { ++plain_layers; }
PlainLayers::~PlainLayers() { --plain_layers; }

bool takes_fused(const Tensor& x) {
  return plain_layers == 0 && x.is_cpu() && x.scalar_type() == at::kFloat;
}

Tensor activated(UnetActivation kind, const Tensor& x) {
  switch (kind) {
    case UnetActivation::silu: return at::silu(x);
    case UnetActivation::mish: return at::mish(x);
    case UnetActivation::gelu: return at::gelu(x);
    case UnetActivation::relu: return at::relu(x);
  }
  return x;
}

Dense::Dense(const Scope& scope, std::int64_t in, std::int64_t out, Init of_weight, Init of_bias)
    : weight(scope.add_weight("weight", {out, in}, of_weight)),
      bias(scope.add("bias", {out}, of_bias)) {}

Dense::Dense(const Scope& scope, std::int64_t in, std::int64_t out, bool zero)
    : Dense(scope, in, out, weight_init(in, zero), weight_init(in, zero)) {}

Convolution::Convolution(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t size,
                         bool zero)
    : weight(
          scope.add_weight("weight", {out, in, size, size}, weight_init(in * size * size, zero))),
      bias(scope.add("bias", {out}, weight_init(in * size * size, zero))),
      padding(size / 2) {}

Tensor Convolution::operator()(const Tensor& x) const {
  return weight.convolved(x, bias, {.stride = stride, .padding = padding});
}

Norm::Norm(const Scope& scope, std::int64_t channels, std::int64_t group_count, double eps)
    : gain(scope.add("weight", {channels}, Init::constant(1.0))),
      bias(scope.add("bias", {channels}, Init::constant(0.0))),
      groups(group_count),
      epsilon(eps) {}

Tensor Norm::operator()(const Tensor& x) const {
  return at::group_norm(x, groups, gain, bias, epsilon);
}

Tensor Norm::silu(const Tensor& x) const {
  return takes_fused(x) ? fused_norm_silu(*this, x) : at::silu((*this)(x));
}

ResidualBlock::ResidualBlock(const Scope& scope, const Plan& plan)
    : norm1(scope / "norm1", plan.in, plan.config.norm_groups, plan.config.norm_epsilon),
      norm2(scope / "norm2", plan.out, plan.config.norm_groups, plan.config.norm_epsilon),
      conv1(scope / "conv1", plan.in, plan.out, 3),
      conv2(scope / "conv2", plan.out, plan.out, 3, plan.config.zero_init),
      activation_(plan.config.activation),
      scale_shift_(plan.config.scale_shift && plan.time > 0),
      dropped_(plan.config.dropout),
      scale_(plan.scale),
      resample_(plan.resample) {
  if (plan.time > 0) {
    time_.emplace(scope / "time_emb_proj", plan.time, scale_shift_ ? 2 * plan.out : plan.out);
  }
  if (plan.in != plan.out) shortcut.emplace(scope / "conv_shortcut", plan.in, plan.out, 1);
}

Tensor ResidualBlock::operator()(const Tensor& x, const Tensor& skip, const Tensor& time,
                                 Dropout& dropout, at::IntArrayRef size) const {
  const Tensor modulation = time_ ? (*time_)(time).to(at::kFloat) : Tensor();
  const bool fused = takes_fused(x) && activation_ == UnetActivation::silu;
  Tensor sum;
  if (fused && resample_ == Resample::none) {
    const Tensor mask = dropout.mask(
        x.new_empty({x.size(0), x.size(2), x.size(3), conv2.weight.size(1)}), dropped_);
    sum = fused_residual(*this, scale_shift_, x, skip, modulation, mask);
  } else {
    sum = plain(skip.defined() ? at::cat({x, skip}, 1) : x, modulation, dropout, size);
  }
  return scale_ == 1.0 ? sum : sum / scale_;
}

Tensor ResidualBlock::plain(const Tensor& x, const Tensor& modulation, Dropout& dropout,
                            at::IntArrayRef size) const {
  Tensor h = conv1(resampled(resample_, activated(activation_, norm1(x)), size));
  const Tensor by_row = time_ ? modulation.unsqueeze(2).unsqueeze(3) : modulation;
  if (scale_shift_) {
    const auto parts = by_row.chunk(2, 1);
    h = norm2(h) * (1.0 + parts[0]) + parts[1];
  } else {
    h = norm2(time_ ? h + by_row : h);
  }
  h = activated(activation_, h);
  const Tensor mask = dropout.mask(h.permute({0, 2, 3, 1}), dropped_);
  if (mask.defined()) h = h * mask.permute({0, 3, 1, 2});
  const Tensor kept = resampled(resample_, x, size);
  return (shortcut ? (*shortcut)(kept) : kept) + conv2(h);
}

AttentionBlock::AttentionBlock(const Scope& scope, const UnetConfig& config, std::int64_t channels,
                               std::int64_t groups, double scale)
    : query(scope / "to_q", channels, channels),
      key(scope / "to_k", channels, channels),
      value(scope / "to_v", channels, channels),
      out(scope / "to_out" / 0, channels, channels, config.zero_init),
      heads(config.head_width == 0 ? 1 : channels / config.head_width),
      scale_(scale) {
  if (groups > 0) norm = Norm(scope / "group_norm", channels, groups, config.norm_epsilon);
}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const bool narrow = x.size(1) / heads <= kWidestHead && x.size(2) * x.size(3) <= kMostTokens;
  const Tensor sum = query.weight.is_held()     ? forward_attention(*this, x)
                     : takes_fused(x) && narrow ? fused_attention(*this, x)
                                                : plain(x);
  return scale_ == 1.0 ? sum : sum / scale_;
}

Tensor AttentionBlock::plain(const Tensor& x) const {
  const Tensor normal = norm.gain.defined() ? norm(x) : x;
  const Tensor pixels = normal.flatten(2).transpose(1, 2);  // [rows, tokens, channels]
  const auto by_head = [&](const Dense& part) {
    return part(pixels).view({x.size(0), pixels.size(1), heads, -1}).transpose(1, 2);
  };
  const Tensor mixed =
      at::scaled_dot_product_attention(by_head(query), by_head(key), by_head(value));
  const Tensor flat = out(mixed.transpose(1, 2).reshape(pixels.sizes()));
  return flat.transpose(1, 2).reshape(x.sizes()) + x;
}

}  // namespace gradatim::neural
