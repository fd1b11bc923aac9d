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

namespace gradatim::neural {
namespace {

constexpr std::int64_t kWaves = 64;

// Groups of at least four channels: one of a single number would always be 0.
std::int64_t groups_of(std::int64_t channels) {
  return std::max<std::int64_t>(1, std::gcd(channels, std::int64_t{32}) / 4);
}

struct Affine {
  Tensor weight, bias;

  Affine(const Scope& scope, std::vector<std::int64_t> sizes, Init weights)
      : weight(scope.add("weight", sizes, weights)),
        bias(scope.add("bias", {sizes[0]}, Init::constant(0.0))) {}
};

Affine convolution_of(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope, {out, in, 3, 3}, Init::of_inputs(9 * in)};
}

Affine linear_of(const Scope& scope, std::int64_t in, std::int64_t out) {
  return {scope, {out, in}, Init::of_inputs(in)};
}

struct ConvLayer {
  Affine conv, norm;
  std::optional<Affine> time;  // begins as one that says nothing
  std::int64_t stride, channels;

  ConvLayer(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t step, bool timed,
        std::int64_t time_width)
      : conv(convolution_of(scope / "conv", in, out)),
        norm(scope / "norm", {out}, Init::constant(1.0)),
        stride(step),
        channels(out) {
    if (timed) time.emplace(scope / "time", std::vector{2 * out, time_width}, Init::constant(0.0));
  }

  Tensor operator()(const Tensor& x, const Tensor& told) const {
    Tensor h = at::conv2d(x, conv.weight, conv.bias, stride, 1);
    h = at::group_norm(h, groups_of(channels), norm.weight, norm.bias);
    if (time) {
      const Tensor both = at::linear(told, time->weight, time->bias).unsqueeze(2).unsqueeze(3);
      h = h * (1.0 + both.narrow(1, 0, channels)) + both.narrow(1, channels, channels);
    }
    return at::silu(h);  // [rows, channels, height, width]
  }
};

class ConvClassifier final : public Net {
 public:
  ConvClassifier(const ConvClassifierConfig& config, const NetworkShape& shape)
      : config_(config), time_scale_(shape.time_scale) {
    GRADATIM_CHECK(shape.sample.size() == 3, UsageError, 1161,
                   "conv_classifier takes images; for rows of {} numbers take --network mlp",
                   shape.sample[0]);
    const Scope root(parameters());
    const std::int64_t width = 4 * config.channels;
    if (config.timed) time_.emplace(linear_of(root / "time", kWaves, width));
    std::int64_t in = config.channels;
    input_.emplace(convolution_of(root / "input", shape.sample[0], in));
    for (int stage = 0; stage < config.stages; ++stage) {
      const std::int64_t out = std::int64_t{config.channels} << stage;
      for (int k = 0; k < config.layers; ++k) {
        const std::int64_t stride = stage > 0 && k == 0 ? 2 : 1;
        layers_.emplace_back(root / "stages" / stage / k, in, out, stride, config.timed, width);
        in = out;
      }
    }
    output_.emplace(linear_of(root / "output", in, shape.scores));
  }

  Tensor forward(const NetInput& input) override {
    Tensor told;
    if (time_) {
      const Tensor waves = time_embedding(input.t * time_scale_, kWaves);
      told = at::silu(at::linear(waves, time_->weight, time_->bias));  // [rows, width]
    }
    Tensor h = at::conv2d(input.x, input_->weight, input_->bias, 1, 1);
    for (const ConvLayer& layer : layers_) h = layer(h, told);
    return at::linear(h.mean({2, 3}), output_->weight, output_->bias);  // [rows, classes]
  }

 private:
  ConvClassifierConfig config_;
  double time_scale_;
  std::optional<Affine> time_, input_, output_;
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
