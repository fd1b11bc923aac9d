// VQ-VAE-2's encoder and decoder: coarse codes of the whole image, and fine ones that know them.
#include "gradatim/neural/autoencoder/hierarchical.h"
#include "gradatim/neural/quantize/code_net.h"
#include "gradatim/neural/quantize/conv_parts.h"

namespace gradatim::neural {
namespace {

class HierarchicalAutoencoder final : public CodeNet {
 public:
  HierarchicalAutoencoder(const HierarchicalAutoencoderConfig& config, const Scope& scope,
                          const std::vector<std::int64_t>& sample)
      : levels_{{places_of_images("neural.autoencoder.hierarchical", sample,
                                  config.downsamplings + config.top_downsamplings),
                 config.code_width},
                {places_of_images("neural.autoencoder.hierarchical", sample, config.downsamplings),
                 config.code_width}},
        fine_encoder_(scope / "fine_encoder", fine(config, sample[0])),
        coarse_encoder_(scope / "coarse_encoder", coarse(config, config.channels)),
        to_coarse_(scope / "to_coarse_code", config.channels, config.code_width, 1),
        coarse_decoder_(scope / "coarse_decoder", coarse(config, config.channels),
                        config.code_width),
        to_fine_(scope / "to_fine_code", 2 * config.channels, config.code_width, 1),
        decoder_(scope / "decoder", fine(config, sample[0]), config.channels + config.code_width) {}

  std::span<const CodeNetLevel> levels() const override { return levels_; }
  std::vector<Tensor> encode(const Tensor& x, const Quantize& quantize) const override {
    const Tensor seen = fine_encoder_(x);
    const Tensor coarse = quantize(0, vectors_of(to_coarse_(coarse_encoder_(seen))));
    const Tensor both = at::cat({seen, said_by(coarse)}, 1);
    return {coarse, quantize(1, vectors_of(to_fine_(both)))};
  }
  Tensor decode(const std::vector<Tensor>& vectors) const override {
    return decoder_(at::cat({said_by(vectors[0]), image_of(vectors[1], levels_[1].places)}, 1));
  }

 private:
  static ConvPlan fine(const HierarchicalAutoencoderConfig& config, std::int64_t image) {
    return {image, config.channels, config.downsamplings, config.residual_layers,
            config.residual_channels};
  }
  static ConvPlan coarse(const HierarchicalAutoencoderConfig& config, std::int64_t image) {
    return {image, config.channels, config.top_downsamplings, config.residual_layers,
            config.residual_channels};
  }
  // What the coarse codes say of the fine level's image.
  Tensor said_by(const Tensor& coarse) const {
    return coarse_decoder_(image_of(coarse, levels_[0].places));
  }

  std::vector<CodeNetLevel> levels_;
  ConvEncoder fine_encoder_, coarse_encoder_;
  Convolution to_coarse_;
  ConvDecoder coarse_decoder_;
  Convolution to_fine_;
  ConvDecoder decoder_;
};

}  // namespace
}  // namespace gradatim::neural

extern "C" {

gradatim::neural::MakeCodeNet gradatim_make_hierarchical_autoencoder;

gradatim::neural::CodeNet* gradatim_make_hierarchical_autoencoder(
    const void* config, const gradatim::neural::Scope& scope,
    const std::vector<std::int64_t>& sample) {
  using namespace gradatim::neural;
  return new HierarchicalAutoencoder(*static_cast<const HierarchicalAutoencoderConfig*>(config),
                                     scope, sample);
}
}
