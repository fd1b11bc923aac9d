#pragma once

namespace gradatim::neural {

struct HierarchicalAutoencoderConfig {
  int channels = 128;
  int downsamplings = 1;
  int top_downsamplings = 1;
  int residual_layers = 2;
  int residual_channels = 32;
  int code_width = 64;

  static constexpr const char* kMaker = "gradatim_make_hierarchical_autoencoder";
};

}  // namespace gradatim::neural
