#pragma once

namespace gradatim::neural {

struct MlpAutoencoderConfig {
  int width = 256;
  int layers = 2;
  int codes_each = 8;
  int code_width = 16;

  static constexpr const char* kMaker = "gradatim_make_mlp_autoencoder";
};

}  // namespace gradatim::neural
