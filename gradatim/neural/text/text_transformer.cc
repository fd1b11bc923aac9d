#include "gradatim/neural/text/text_transformer.h"

#include <fmt/format.h>

#include <cmath>

#include "gradatim/core/error.h"

namespace gradatim::neural {
namespace {

// As CLIP begins: what a layer adds shrinks with their number.
Dense text_dense(const Scope& scope, std::int64_t in, std::int64_t out, double deviation) {
  return {scope, in, out, Init::normal(deviation), Init::constant(0.0)};
}

double attention_deviation(const TextConfig& config) {
  return 1.0 / std::sqrt(static_cast<double>(config.width));
}

double residual_deviation(const TextConfig& config) {
  return attention_deviation(config) / std::sqrt(2.0 * static_cast<double>(config.layers));
}

}  // namespace

TextTransformer::LayerNorm::LayerNorm(const Scope& scope, const TextConfig& config)
    : gain(scope.add("weight", {config.width}, Init::constant(1.0))),
      bias(scope.add("bias", {config.width}, Init::constant(0.0))),
      epsilon(config.epsilon) {}

Tensor TextTransformer::LayerNorm::operator()(const Tensor& x) const {
  return at::layer_norm(x, {x.size(2)}, gain, bias, epsilon);
}

TextTransformer::Layer::Layer(const Scope& scope, const TextConfig& config)
    : norm1(scope / "layer_norm1", config),
      norm2(scope / "layer_norm2", config),
      query(text_dense(scope / "self_attn" / "q_proj", config.width, config.width,
                       attention_deviation(config))),
      key(text_dense(scope / "self_attn" / "k_proj", config.width, config.width,
                     attention_deviation(config))),
      value(text_dense(scope / "self_attn" / "v_proj", config.width, config.width,
                       attention_deviation(config))),
      out(text_dense(scope / "self_attn" / "out_proj", config.width, config.width,
                     residual_deviation(config))),
      up(text_dense(scope / "mlp" / "fc1", config.width, config.inner,
                    attention_deviation(config) / std::sqrt(2.0))),
      down(text_dense(scope / "mlp" / "fc2", config.inner, config.width,
                      residual_deviation(config))) {}

TextTransformer::TextTransformer(const Scope& scope, const TextConfig& config)
    : config_(config),
      token_((scope / "embeddings" / "token_embedding")
                 .add("weight", {config.vocabulary, config.width}, Init::normal(0.02))),
      place_((scope / "embeddings" / "position_embedding")
                 .add("weight", {config.tokens, config.width}, Init::normal(0.01))),
      layers_([&] {
        std::vector<Layer> layers;
        for (std::int64_t k = 0; k < config.layers; ++k) {
          layers.emplace_back(scope / "encoder" / "layers" / k, config);
        }
        return layers;
      }()),
      last_(scope / "final_layer_norm", config) {
  GRADATIM_CHECK(config.heads > 0 && config.width % config.heads == 0, UsageError, 1166,
                 "the width of a text network must be a multiple of its {} heads; it is {}",
                 config.heads, config.width);
}

void TextTransformer::check(const Tensor& ids, std::int64_t skip) const {
  GRADATIM_CHECK(skip >= 0 && skip <= config_.layers, UsageError, 1003,
                 "clip_skip is {}; the text network has {} layers", skip, config_.layers);
  GRADATIM_CHECK(ids.size(1) <= config_.tokens, DataError, 2098,
                 "a text has {} tokens; the text network takes {}", ids.size(1), config_.tokens);
  if (ids.numel() == 0) return;
  const auto [least, most] = at::aminmax(ids);
  const auto low = least.item<std::int64_t>(), high = most.item<std::int64_t>();
  GRADATIM_CHECK(low >= 0 && high < config_.vocabulary, DataError, 2098,
                 "the vocabulary has {} tokens, none of them number {}", config_.vocabulary,
                 low < 0 ? low : high);
}

Tensor TextTransformer::attention(const Layer& layer, const Tensor& x) const {
  const auto by_head = [&](const Tensor& all) {
    return all.view({x.size(0), x.size(1), config_.heads, config_.width / config_.heads})
        .transpose(1, 2);  // [rows, heads, tokens, head]
  };
  const Tensor mixed = at::scaled_dot_product_attention(
      by_head(layer.query(x)), by_head(layer.key(x)), by_head(layer.value(x)), {}, 0.0,
      /*is_causal=*/true);
  return layer.out(mixed.transpose(1, 2).reshape(x.sizes()));
}

Tensor TextTransformer::activated(const Tensor& x) const {
  if (config_.activation == TextActivation::gelu) return at::gelu(x);
  return x * at::sigmoid(x * 1.702);
}

Tensor TextTransformer::operator()(const Tensor& ids, std::int64_t skip) const {
  check(ids, skip);
  Tensor h = at::embedding(token_, ids) + place_.narrow(0, 0, ids.size(1));
  for (std::size_t k = 0; k + static_cast<std::size_t>(skip) < layers_.size(); ++k) {
    const Layer& layer = layers_[k];
    h = h + attention(layer, layer.norm1(h));
    h = h + layer.down(activated(layer.up(layer.norm2(h))));
  }
  return last_(h);  // [rows, tokens, width]
}

}  // namespace gradatim::neural
