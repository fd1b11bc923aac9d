// VQ-VAE's encoder and decoder: one level of codes.
#include "gradatim/neural/autoencoder/conv.h"
#include "gradatim/neural/quantize/code_net.h"
#include "gradatim/neural/quantize/conv_parts.h"

namespace gradatim::neural {
namespace {

ConvPlan conv_plan(const ConvAutoencoderConfig& config, std::int64_t image) {
  return {image, config.channels, config.downsamplings, config.residual_layers,
          config.residual_channels};
}

class ConvAutoencoder final : public CodeNet {
 public:
  ConvAutoencoder(const ConvAutoencoderConfig& config, const Scope& scope,
                  const std::vector<std::int64_t>& sample)
      : level_{places_of_images("neural.autoencoder.conv", sample, config.downsamplings),
               config.code_width},
        encoder_(scope / "encoder", conv_plan(config, sample[0])),
        to_code_(scope / "to_code", config.channels, config.code_width, 1),
        decoder_(scope / "decoder", conv_plan(config, sample[0]), config.code_width) {}

  std::span<const CodeNetLevel> levels() const override { return {&level_, 1}; }
  std::vector<Tensor> encode(const Tensor& x, const Quantize& quantize) const override {
    return {quantize(0, vectors_of(to_code_(encoder_(x))))};
  }
  Tensor decode(const std::vector<Tensor>& vectors) const override {
    return decoder_(image_of(vectors[0], level_.places));
  }

 private:
  CodeNetLevel level_;
  ConvEncoder encoder_;
  Convolution to_code_;
  ConvDecoder decoder_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeCodeNet gradatim_make_conv_autoencoder;

gradatim::neural::CodeNet* gradatim_make_conv_autoencoder(const void* config,
                                                          const gradatim::neural::Scope& scope,
                                                          const std::vector<std::int64_t>& sample) {
  using namespace gradatim::neural;
  return new ConvAutoencoder(*static_cast<const ConvAutoencoderConfig*>(config), scope, sample);
}
}
