// The diffusion transformer of network/transformer.cc, with the parameter names of its paper's
// code.
//
//   h = W patches + b + place,  c = time + label
//   h = h + gate attention((1 + scale) norm(h) + shift), the same with a perceptron, a block
//   patches out = W ((1 + scale) norm(h) + shift) + b
//
// Each shift, scale and gate is a linear function of silu(c) that begins at zero.
#include "gradatim/neural/network/transformer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <mutex>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/patches.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kFrequencies = 256;
constexpr double kNormEpsilon = 1e-6, kDeviation = 0.02;

// Uniform with the variance 2 / (in + out) (Glorot and Bengio 2010).
Init glorot(std::int64_t in, std::int64_t out) {
  return Init::uniform(std::sqrt(6.0 / static_cast<double>(in + out)));
}

Dense dense(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope, in, out, glorot(in, out), Init::constant(0.0)};
}

Dense time_layer(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope, in, out, Init::normal(kDeviation), Init::constant(0.0)};
}

Dense silent(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope, in, out, Init::constant(0.0), Init::constant(0.0)};
}

// (1 + scale) norm(x) + shift; x: [rows, patches, width], scale, shift: [rows, width].
Tensor modulated(const Tensor& x, const Tensor& shift, const Tensor& scale) {
  const Tensor normal = at::layer_norm(x, {x.size(2)}, {}, {}, kNormEpsilon);
  return normal * (1.0 + scale.unsqueeze(1)) + shift.unsqueeze(1);
}

class TransformerBlock {
 public:
  TransformerBlock(const Scope& scope, const TransformerConfig& config)
      : qkv_(dense(scope / "attn" / "qkv", config.width, 3 * std::int64_t{config.width})),
        out_(dense(scope / "attn" / "proj", config.width, config.width)),
        up_(dense(scope / "mlp" / "fc1", config.width, inner(config))),
        down_(dense(scope / "mlp" / "fc2", inner(config), config.width)),
        modulation_(
            silent(scope / "adaLN_modulation" / 1, config.width, 6 * std::int64_t{config.width})),
        heads_(config.heads) {}

  /// h: [rows, patches, width], told: silu(c), [rows, width].
  Tensor operator()(const Tensor& h, const Tensor& told) const {
    const auto part = modulation_(told).chunk(6, 1);
    const Tensor seen = h + part[2].unsqueeze(1) * attention(modulated(h, part[0], part[1]));
    const Tensor inner = at::gelu(up_(modulated(seen, part[3], part[4])), "tanh");
    return seen + part[5].unsqueeze(1) * down_(inner);
  }

 private:
  static std::int64_t inner(const TransformerConfig& config) {
    return std::int64_t{config.width} * config.mlp_ratio;
  }

  Tensor attention(const Tensor& x) const {
    const Tensor all = qkv_(x)
                           .view({x.size(0), x.size(1), 3, heads_, x.size(2) / heads_})
                           .permute({2, 0, 3, 1, 4});  // [3, rows, heads, patches, head]
    const Tensor mixed = at::scaled_dot_product_attention(all[0], all[1], all[2]);
    return out_(mixed.transpose(1, 2).reshape(x.sizes()));
  }

  Dense qkv_, out_, up_, down_, modulation_;
  std::int64_t heads_;
};

class Transformer final : public Net {
 public:
  Transformer(const TransformerConfig& config, const NetworkShape& shape)
      : config_(config), shape_(shape) {
    check();
    const Scope root(parameters());
    const std::int64_t size = config.patch, width = config.width;
    const std::int64_t in = shape.sample[0] * size * size;
    const Scope first = root / "x_embedder" / "proj";
    patch_weight_ = first.add("weight", {width, shape.sample[0], size, size}, glorot(in, width));
    patch_bias_ = first.add("bias", {width}, Init::constant(0.0));
    time1_.emplace(time_layer(root / "t_embedder" / "mlp" / 0, kFrequencies, width));
    time2_.emplace(time_layer(root / "t_embedder" / "mlp" / 2, width, width));
    if (shape.classes > 0) {
      labels_ = (root / "y_embedder" / "embedding_table")
                    .add("weight", {shape.classes + 1, width}, Init::normal(kDeviation));
    }
    for (int k = 0; k < config.depth; ++k) blocks_.emplace_back(root / "blocks" / k, config);
    out_.emplace(silent(root / "final_layer" / "linear", width, in * shape.outputs));
    out_modulation_.emplace(
        silent(root / "final_layer" / "adaLN_modulation" / 1, width, 2 * width));
    layers_at(shape.sample[1] / size * shape.sample[2] / size);
  }

  Tensor forward(const NetInput& input) override {
    const PooledMemory memory;
    const Tensor places = this->places().to(input.x.device());
    const Tensor told = at::silu(condition(input));
    Tensor h = at::linear(patches_of(input.x, config_.patch), patch_weight_.flatten(1),
                          patch_bias_) +
               places;  // [rows, patches, width]
    for (const TransformerBlock& block : blocks_) h = block(h, told);
    const auto part = (*out_modulation_)(told).chunk(2, 1);
    return images_of((*out_)(modulated(h, part[0], part[1])), config_.patch, shape_.sample[1],
                     shape_.sample[2]);
  }

  void backward(const Tensor& output_gradient) override {
    const PooledMemory memory;
    Net::backward(output_gradient);
  }

 private:
  void check() const {
    const auto& sample = shape_.sample;
    GRADATIM_CHECK(
        sample.size() == 3 && sample[1] % config_.patch == 0 && sample[2] % config_.patch == 0,
        UsageError, 1169,
        "neural.network.transformer with patches of {} takes images whose height and width are "
        "multiples of it; samples are [{}]",
        config_.patch, fmt::join(sample, ", "));
    GRADATIM_CHECK(config_.width % 4 == 0 && config_.width % config_.heads == 0, UsageError, 1169,
                   "the width of neural.network.transformer must be a multiple of 4 and of its {} "
                   "heads; it is {}",
                   config_.heads, config_.width);
  }

  // Not made by the constructor: the settings of a file may claim any size.
  const Tensor& places() {
    std::call_once(placed_, [this] {
      places_ = grid_embedding(shape_.sample[1] / config_.patch, shape_.sample[2] / config_.patch,
                               config_.width);
    });
    return places_;
  }

  Tensor condition(const NetInput& input) const {
    const Tensor waves =
        time_embedding(input.t * (shape_.time_scale * shape_.wave_scale), kFrequencies);
    const Tensor time = (*time2_)(at::silu((*time1_)(waves)));
    return labels_.defined() ? time + labels_.index_select(0, input.labels) : time;
  }

  KeptMemory kept_;
  TransformerConfig config_;
  NetworkShape shape_;
  Tensor patch_weight_, patch_bias_, labels_, places_;
  std::once_flag placed_;  // several fields may share a network
  std::optional<Dense> time1_, time2_, out_, out_modulation_;
  std::vector<TransformerBlock> blocks_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_transformer(
    const void* config, const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::TransformerConfig;
  return new gradatim::neural::Transformer(*static_cast<const TransformerConfig*>(config), shape);
}
