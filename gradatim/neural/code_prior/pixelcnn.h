#pragma once

namespace gradatim::neural {

struct PixelCnnPriorConfig {
  int width = 64;
  int layers = 8;
  int first_kernel = 7;
  int kernel = 3;
  double dropout = 0.1;

  static constexpr const char* kMaker = "gradatim_make_pixelcnn_prior";
};

}  // namespace gradatim::neural
