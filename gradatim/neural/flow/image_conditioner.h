// ImageConditioner: convolutions that say the parameters of a ScalarMap, pixel by pixel, from what
// a step leaves as it is, and from the context, which shifts the channels of the first layer.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/bijection/image_settings.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

struct ImageConditionerConfig {
  ImageConditionerKind kind = ImageConditionerKind::convolutions;
  int width = 64;
  int layers = 2;
};

/// Of the settings of a bijection or an architecture.
template <class Config>
ImageConditionerConfig image_conditioner_of(const Config& config) {
  return {config.conditioner, config.width, config.layers};
}

class ImageConditioner {
 public:
  /// The last layer begins at 0.
  ImageConditioner(const Scope& scope, std::int64_t in, std::int64_t context, std::int64_t out,
                   const ImageConditionerConfig& config);
  /// x [rows, in, height, width], context [rows, context] or undefined -> [rows, out, ...].
  Tensor operator()(const Tensor& x, const Tensor& context) const;

 private:
  ImageConditionerKind kind_;
  std::vector<Convolution> layers_;  // the first, hidden ones or pairs of a block, the last
  Tensor told_;                      // [width, context]
};

}  // namespace gradatim::neural
