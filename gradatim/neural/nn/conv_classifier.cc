// The convolutional classifier of network/conv_classifier.cc.
//
//   h = conv(x);  h = silu(norm(conv(h)) (1 + scale(time)) + shift(time)) a layer, the first of a
//   further stage with stride 2;  scores = W mean(h) + b
#include "gradatim/neural/network/conv_classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "gradatim/core/error.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/time_embedding.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kWaves = 64;

// Groups of at least four channels: one of a single number would always be 0.
std::int64_t groups_of(std::int64_t channels) {
  return std::max<std::int64_t>(1, std::gcd(channels, std::int64_t{32}) / 4);
}

struct ConvLayer {
  Convolution conv;
  Norm norm;
  std::optional<Dense> time;  // begins as one that says nothing

  ConvLayer(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv(scope / "conv", in, out, 3), norm(scope / "norm", out, groups_of(out), 1e-5) {
    conv.stride = stride;
  }

  Tensor operator()(const Tensor& x, const Tensor& told) const {
    Tensor h = norm(conv(x));
    if (time) {
      const Tensor both = (*time)(told).unsqueeze(2).unsqueeze(3);  // [rows, 2 channels, 1, 1]
      h = h * (1.0 + both.narrow(1, 0, h.size(1))) + both.narrow(1, h.size(1), h.size(1));
    }
    return at::silu(h);  // [rows, channels, height, width]
  }
};

class ConvClassifier final : public Net {
 public:
  ConvClassifier(const ConvClassifierConfig& config, const NetworkShape& shape)
      : time_scale_(shape.time_scale) {
    GRADATIM_CHECK(shape.sample.size() == 3, UsageError, 1161,
                   "conv_classifier takes images; for rows of {} numbers take --network mlp",
                   shape.sample[0]);
    const Scope root(parameters());
    const std::int64_t width = 4 * std::int64_t{config.channels};
    std::int64_t in = config.channels;
    if (config.timed) time_.emplace(root / "time", kWaves, width);
    input_.emplace(root / "input", shape.sample[0], in, 3);
    std::int64_t places = shape.sample[1] * shape.sample[2];
    layers_at(places);
    for (int stage = 0; stage < config.stages; ++stage) {
      const std::int64_t out = std::int64_t{config.channels} << stage;
      for (int k = 0; k < config.layers; ++k) {
        const Scope scope = root / "stages" / stage / k;
        layers_.emplace_back(scope, in, out, stage > 0 && k == 0 ? 2 : 1);
        if (config.timed) layers_.back().time.emplace(scope / "time", width, 2 * out, true);
        in = out;
      }
      layers_at(places);
      places = (places + 3) / 4;
    }
    output_.emplace(root / "output", in, shape.scores);
  }

  Tensor forward(const NetInput& input) override {
    return (*output_)(features(input));  // [rows, classes]
  }

  Tensor features(const NetInput& input) override {
    Tensor told;  // [rows, width]
    if (time_) told = at::silu((*time_)(time_embedding(input.t * time_scale_, kWaves)));
    Tensor h = (*input_)(input.x);
    for (const ConvLayer& layer : layers_) h = layer(h, told);
    return h.mean({2, 3});  // [rows, channels of the last stage]
  }

 private:
  double time_scale_;
  std::optional<Dense> time_, output_;
  std::optional<Convolution> input_;
  std::vector<ConvLayer> layers_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" gradatim::neural::Net* gradatim_make_conv_classifier(
    const void* config, const gradatim::neural::NetworkShape& shape) {
  using gradatim::neural::ConvClassifierConfig;
  return new gradatim::neural::ConvClassifier(*static_cast<const ConvClassifierConfig*>(config),
                                              shape);
}
