// What convolutional encoders and decoders of codes are made of. Images are channels-last, with a
// row's pixels one behind the other, so that a place's vector is a row of memory.
#pragma once

#include <cstdint>
#include <vector>

#include "gradatim/neural/nn/unet_layers.h"
#include "gradatim/neural/quantizer.h"

namespace gradatim::neural {

/// A convolution that doubles images: 4 x 4, stride 2, as torch's transposed one.
struct Doubling {
  Tensor weight, bias;  // [in, out, 4, 4], [out]

  Doubling(const Scope& scope, std::int64_t in, std::int64_t out);
  Tensor operator()(const Tensor& x) const;
};

/// x + 1x1 relu 3x3 relu x, so many times, and relu.
class ResidualStack {
 public:
  ResidualStack(const Scope& scope, std::int64_t channels, std::int64_t inner, std::int64_t count);
  Tensor operator()(Tensor x) const;

 private:
  std::vector<Convolution> first_, second_;
};

/// Channels and depth that both ends of an autoencoder share.
struct ConvPlan {
  std::int64_t image = 1, channels = 128, downsamplings = 2;
  std::int64_t residual_layers = 2, residual_channels = 32;
};

/// [rows, image, height, width] -> [rows, channels, height / 2^d, width / 2^d].
class ConvEncoder {
 public:
  ConvEncoder(const Scope& scope, const ConvPlan& plan);
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<Convolution> halvings_;
  Convolution last_;
  ResidualStack residual_;
};

/// [rows, in, height, width] -> [rows, image, height 2^d, width 2^d].
class ConvDecoder {
 public:
  ConvDecoder(const Scope& scope, const ConvPlan& plan, std::int64_t in);
  Tensor operator()(const Tensor& x) const;

 private:
  Convolution first_;
  ResidualStack residual_;
  std::vector<Doubling> doublings_;
};

/// [rows, channels, height, width] -> [rows * places, channels], and back.
Tensor vectors_of(const Tensor& image);
Tensor image_of(const Tensor& vectors, const CodeShape::Level& places);

/// The places of images that are halved so often. UsageError GRD-1205 where they do not divide.
CodeShape::Level places_of_images(const char* component, const std::vector<std::int64_t>& sample,
                                  std::int64_t downsamplings);

}  // namespace gradatim::neural
