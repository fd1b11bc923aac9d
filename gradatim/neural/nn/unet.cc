// The U-Net of network/unet.cc: diffusers' UNet2DModel and, told a text, its UNet2DConditionModel,
// with their parameter names.
#include "gradatim/neural/network/unet.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/memory.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/nn/unet_level.h"
#include "gradatim/neural/text/text_transformer.h"

namespace gradatim::neural {
namespace {

constexpr double kFourierDeviation = 16.0, kTwoPi = 6.283185307179586;

class Unet final : public Net {
 public:
  Unet(const UnetConfig& config, const NetworkShape& shape) : plan_{config, shape} {
    plan_.check();
    const Scope root(parameters());
    const std::int64_t base = config.channels[0], time = plan_.time(), pixels = plan_.places(0);
    const std::int64_t seen = config.time == UnetTime::fourier ? 2 * base : base;
    conv_in_.emplace(root / "conv_in", shape.sample[0] + shape.beside, base, 3);
    if (config.time == UnetTime::fourier) {
      frequencies_ = (root / "time_proj").add("weight", {base}, Init::normal(kFourierDeviation));
    }
    layers_at(pixels);
    time1_.emplace(root / "time_embedding" / "linear_1", seen, time);
    time2_.emplace(root / "time_embedding" / "linear_2", time, time);
    if (shape.classes > 0) {
      labels_ =
          (root / "class_embedding").add("weight", {shape.classes + 1, time}, Init::normal(1.0));
    }
    layers_at(1);
    if (shape.text.tokens > 0) {
      text_.emplace(root / "text", TextConfig{.width = shape.context,
                                              .layers = shape.text.layers,
                                              .heads = shape.text.heads,
                                              .inner = 4 * shape.context,
                                              .tokens = shape.text.tokens,
                                              .vocabulary = shape.text.vocabulary,
                                              .activation = TextActivation::gelu});
    }
    layers_at(shape.text.tokens);
    add_levels(root);
    norm_out_ = Norm(root / "conv_norm_out", base, config.norm_groups, config.norm_epsilon);
    conv_out_.emplace(root / "conv_out", base, shape.sample[0] * shape.outputs, 3,
                      config.zero_init);
    layers_at(pixels);
  }

  Tensor forward(const NetInput& input) override {
    const PooledMemory memory;
    const UnetConfig& config = plan_.config;
    const Tensor t = input.t * (plan_.shape.time_scale * plan_.shape.wave_scale);
    UnetSeen seen{.time = activated(config.activation, embedded(t, input.labels)),
                  .text = {.context = plan_.told() ? context(input) : Tensor(), .kept = input.kept},
                  .dropout = Dropout(input.dropout)};
    const Tensor x = config.center_input ? 2.0 * input.x - 1.0 : input.x;
    const Tensor first = (*conv_in_)(x.contiguous(at::MemoryFormat::ChannelsLast))
                             .contiguous(at::MemoryFormat::ChannelsLast);
    const Tensor h = through_levels(first, seen);
    const Tensor out = (*conv_out_)(finished(h)).contiguous();
    return config.time == UnetTime::fourier ? out / t.view({-1, 1, 1, 1}) : out;
  }

  void backward(const Tensor& output_gradient) override {
    const PooledMemory memory;
    Net::backward(output_gradient);
  }

  Tensor context_of(const Tensor& tokens) override {
    if (!plan_.told()) return Net::context_of(tokens);
    GRADATIM_CHECK(text_.has_value(), UsageError, 1199,
                   "this network embeds no text itself; give it contexts");
    const PooledMemory memory;
    return (*text_)(tokens);
  }

 private:
  void add_levels(const Scope& root) {
    const std::int64_t count = plan_.levels();
    std::size_t places = 0;
    for (std::int64_t level = 0; level < count; ++level) {
      down_.push_back(UnetLevel::down(root / "down_blocks" / level, plan_, level, places));
      layers_at(plan_.places(level));
    }
    if (plan_.config.middle) middle_ = UnetLevel::middle(root / "mid_block", plan_, places);
    for (std::int64_t level = count - 1; level >= 0; --level) {
      const Scope here = root / "up_blocks" / (count - 1 - level);
      up_.push_back(UnetLevel::up(here, plan_, level, places));
      layers_at(plan_.places(level));
    }
  }

  Tensor through_levels(Tensor h, UnetSeen& seen) const {
    std::vector<Tensor> skips{h};
    for (const UnetLevel& level : down_) {
      for (std::size_t k = 0; k < level.blocks(); ++k) {
        skips.push_back(h = level.block(k, h, {}, seen));
      }
      if (level.resamples()) skips.push_back(h = level.halved(h, seen));
    }
    for (std::size_t k = 0; k < middle_.blocks(); ++k) h = middle_.block(k, h, {}, seen);
    for (const UnetLevel& level : up_) {
      for (std::size_t k = 0; k < level.blocks(); ++k) {
        const Tensor skip = std::move(skips.back());
        skips.pop_back();
        h = level.block(k, h, skip, seen);
      }
      if (level.resamples()) h = level.enlarged(h, skips.back().sizes().slice(2), seen);
    }
    return h;
  }

  Tensor finished(const Tensor& h) const {
    const UnetActivation kind = plan_.outer_activation();
    return kind == UnetActivation::silu ? norm_out_.silu(h) : activated(kind, norm_out_(h));
  }

  // What the text is to the network, checked.
  Tensor context(const NetInput& input) {
    GRADATIM_CHECK(input.context.defined() || input.tokens.defined(), UsageError, 1196,
                   "this network is told a text, and no context is given");
    const Tensor context = input.context.defined() ? input.context : context_of(input.tokens);
    const std::int64_t width = plan_.shape.context;
    GRADATIM_CHECK(
        context.dim() == 3 && context.size(2) == width, UsageError, 1197,
        "the network attends to contexts of shape [texts, tokens, {}]; this one's is [{}]", width,
        fmt::join(context.sizes(), ", "));
    const std::int64_t rows = input.x.size(0), texts = context.size(0);
    GRADATIM_CHECK(texts > 0 && rows % texts == 0, UsageError, 1197,
                   "contexts of {} texts are no equal parts of {} rows", texts, rows);
    return context;
  }

  Tensor embedded(const Tensor& t, const Tensor& labels) const {
    const UnetConfig& config = plan_.config;
    Tensor seen;
    if (config.time == UnetTime::fourier) {
      const Tensor angles = t.log().unsqueeze(1) * frequencies_.detach() * kTwoPi;
      seen = at::cat({angles.sin(), angles.cos()}, 1);
    } else {
      seen = time_embedding(
          t, config.channels[0],
          {.frequency_shift = config.frequency_shift, .cosines_first = config.cosines_first});
    }
    const Tensor embedding = (*time2_)(activated(plan_.outer_activation(), (*time1_)(seen)));
    return labels_.defined() ? embedding + labels_.index_select(0, labels) : embedding;
  }

  KeptMemory kept_;
  UnetPlan plan_;
  std::optional<TextTransformer> text_;  // where it reads texts itself
  std::optional<Convolution> conv_in_, conv_out_;
  std::optional<Dense> time1_, time2_;
  Tensor frequencies_, labels_;  // [channels], [classes + 1, time]
  std::vector<UnetLevel> down_, up_;
  UnetLevel middle_;  // without blocks where there is none
  Norm norm_out_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_unet(const void* config,
                                                     const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::UnetConfig;
  return new gradatim::neural::Unet(*static_cast<const UnetConfig*>(config), shape);
}
