// Perceptrons on both sides of a row's codes.
#include "gradatim/neural/autoencoder/mlp.h"
#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/quantize/code_net.h"

namespace gradatim::neural {
namespace {

// Layers with relu between them.
class PlainPerceptron {
 public:
  PlainPerceptron(const Scope& scope, const std::vector<std::int64_t>& widths) {
    for (std::size_t k = 0; k + 1 < widths.size(); ++k) {
      layers_.emplace_back(scope / static_cast<std::int64_t>(k), widths[k], widths[k + 1]);
    }
  }
  Tensor operator()(Tensor x) const {
    for (std::size_t k = 0; k < layers_.size(); ++k) {
      x = layers_[k](x);
      if (k + 1 < layers_.size()) x.relu_();
    }
    return x;
  }

 private:
  std::vector<Dense> layers_;
};

std::vector<std::int64_t> widths_of(const MlpAutoencoderConfig& config, std::int64_t in,
                                    std::int64_t out) {
  std::vector<std::int64_t> widths{in};
  widths.insert(widths.end(), static_cast<std::size_t>(config.layers), config.width);
  widths.push_back(out);
  return widths;
}

class MlpAutoencoder final : public CodeNet {
 public:
  MlpAutoencoder(const MlpAutoencoderConfig& config, const Scope& scope,
                 const std::vector<std::int64_t>& sample)
      : sample_(sample),
        level_{{1, config.codes_each}, config.code_width},
        encoder_(scope / "encoder", widths_of(config, c10::multiply_integers(sample), coded())),
        decoder_(scope / "decoder", widths_of(config, coded(), c10::multiply_integers(sample))) {}

  std::span<const CodeNetLevel> levels() const override { return {&level_, 1}; }
  std::vector<Tensor> encode(const Tensor& x, const Quantize& quantize) const override {
    return {quantize(0, encoder_(x.flatten(1)).view({-1, level_.dims}))};
  }
  Tensor decode(const std::vector<Tensor>& vectors) const override {
    const Tensor made = decoder_(vectors[0].reshape({-1, coded()}));
    std::vector<std::int64_t> sizes{made.size(0)};
    sizes.insert(sizes.end(), sample_.begin(), sample_.end());
    return made.view(sizes);
  }

 private:
  std::int64_t coded() const { return level_.places.places() * level_.dims; }

  std::vector<std::int64_t> sample_;
  CodeNetLevel level_;
  PlainPerceptron encoder_, decoder_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeCodeNet gradatim_make_mlp_autoencoder;

gradatim::neural::CodeNet* gradatim_make_mlp_autoencoder(const void* config,
                                                         const gradatim::neural::Scope& scope,
                                                         const std::vector<std::int64_t>& sample) {
  using namespace gradatim::neural;
  return new MlpAutoencoder(*static_cast<const MlpAutoencoderConfig*>(config), scope, sample);
}
}
