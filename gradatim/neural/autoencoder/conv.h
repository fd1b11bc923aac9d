#pragma once

namespace gradatim::neural {

struct ConvAutoencoderConfig {
  int channels = 128;
  int downsamplings = 2;
  int residual_layers = 2;
  int residual_channels = 32;
  int code_width = 64;

  static constexpr const char* kMaker = "gradatim_make_conv_autoencoder";
};

}  // namespace gradatim::neural
