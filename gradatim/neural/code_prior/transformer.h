#pragma once

namespace gradatim::neural {

struct TransformerPriorConfig {
  int width = 128;
  int layers = 4;
  int heads = 4;
  double dropout = 0.1;
  bool tied = false;

  static constexpr const char* kMaker = "gradatim_make_transformer_prior";
};

}  // namespace gradatim::neural
