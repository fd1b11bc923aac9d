#include "gradatim/neural/nn/unet_transformer.h"

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/unet_fused.h"

namespace gradatim::neural {
namespace {

constexpr double kImageNormEpsilon = 1e-6, kTokenNormEpsilon = 1e-5;
constexpr std::int64_t kInnerRatio = 4;

Dense without_bias(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope.add_weight("weight", {out, in}, Init::of_inputs(in)), Tensor()};
}

// From pixels to tokens or back; a convolution of single pixels is the same product.
Dense projection(const Scope& scope, std::int64_t channels, bool linear, bool zero) {
  if (linear) return {scope, channels, channels, zero};
  const Convolution made(scope, channels, channels, 1, zero);
  return {made.weight, made.bias};
}

Tensor projected(const Dense& by, const Tensor& h) { return by(h).to(at::kFloat); }

// h + change; `change` is nobody else's.
Tensor plus(const Tensor& h, const Tensor& change) {
  return at::GradMode::is_enabled() ? h + change : change.add_(h);
}

Tensor gated(const Tensor& both) {
  if (takes_fused(both)) return fused_geglu(both);
  const auto parts = both.chunk(2, -1);
  return parts[0] * at::gelu(parts[1]);
}

}  // namespace

UnetAttention::UnetAttention(const Scope& scope, std::int64_t channels, std::int64_t source,
                             std::int64_t heads)
    : query_(without_bias(scope / "to_q", channels, channels)),
      key_(without_bias(scope / "to_k", source, channels)),
      value_(without_bias(scope / "to_v", source, channels)),
      out_(scope / "to_out" / 0, channels, channels),
      heads_(heads) {}

Tensor UnetAttention::of_itself(const Tensor& x) const {
  return projected(out_, mix(query_(x), {key_(x), value_(x)}));
}

Tensor UnetAttention::of_text(const Tensor& x, const UnetText& text, std::size_t place) const {
  // Rows with the same text follow one another: to it they are one row of more queries.
  const Tensor queries = query_(x).view({text.context.size(0), -1, x.size(2)});
  return projected(out_, mix(queries, keys_of(text, place))).view(x.sizes());
}

UnetAttention::Keys UnetAttention::keys_of(const UnetText& text, std::size_t place) const {
  if (text.kept == nullptr) return {key_(text.context), value_(text.context)};
  GRADATIM_ASSERT(!at::GradMode::is_enabled());
  auto& kept = text.kept->layers;
  if (kept.size() < 2 * (place + 1)) kept.resize(2 * (place + 1));
  Tensor &keys = kept[2 * place], &values = kept[2 * place + 1];
  if (!keys.defined()) {
    keys = key_(text.context);
    values = value_(text.context);
  }
  return {keys, values};
}

Tensor UnetAttention::mix(const Tensor& queries, const Keys& seen) const {
  return mixed(queries, seen.keys, seen.values, heads_);
}

UnetTransformer::TokenNorm::TokenNorm(const Scope& scope, std::int64_t channels)
    : gain(scope.add("weight", {channels}, Init::constant(1.0))),
      bias(scope.add("bias", {channels}, Init::constant(0.0))) {}

Tensor UnetTransformer::TokenNorm::operator()(const Tensor& h) const {
  return at::layer_norm(h, {h.size(2)}, gain, bias, kTokenNormEpsilon);
}

UnetTransformer::Layer::Layer(const Scope& scope, const Plan& plan, std::size_t at)
    : norm1(scope / "norm1", plan.channels),
      norm2(scope / "norm2", plan.channels),
      norm3(scope / "norm3", plan.channels),
      self(scope / "attn1", plan.channels, plan.channels, plan.heads),
      cross(scope / "attn2", plan.channels, plan.context, plan.heads),
      up(scope / "ff" / "net" / 0 / "proj", plan.channels, 2 * kInnerRatio * plan.channels),
      down(scope / "ff" / "net" / 2, kInnerRatio * plan.channels, plan.channels),
      place(at) {}

Tensor UnetTransformer::Layer::operator()(Tensor h, const UnetText& text) const {
  h = plus(h, self.of_itself(norm1(h)));
  h = plus(h, cross.of_text(norm2(h), text, place));
  return plus(h, projected(down, gated(projected(up, norm3(h)))));
}

UnetTransformer::UnetTransformer(const Scope& scope, const Plan& plan)
    : norm_(scope / "norm", plan.channels, plan.norm_groups, kImageNormEpsilon),
      in_(projection(scope / "proj_in", plan.channels, plan.linear, false)),
      out_(projection(scope / "proj_out", plan.channels, plan.linear, plan.zero_init)) {
  for (std::int64_t k = 0; k < plan.layers; ++k) {
    layers_.emplace_back(scope / "transformer_blocks" / k, plan,
                         plan.first_place + static_cast<std::size_t>(k));
  }
}

Tensor UnetTransformer::operator()(const Tensor& x, const UnetText& text) const {
  const Tensor normal = takes_fused(x) ? fused_norm(norm_, x) : norm_(x);
  const auto pixels = normal.permute({0, 2, 3, 1});  // [rows, height, width, channels]
  Tensor h = projected(in_, pixels.flatten(1, 2));   // [rows, tokens, channels]
  for (const Layer& layer : layers_) h = layer(h, text);
  return plus(x, projected(out_, h).view(pixels.sizes()).permute({0, 3, 1, 2}));
}

}  // namespace gradatim::neural
