#pragma once

namespace gradatim::neural {

struct TransformerConfig {
  int patch = 2;
  int width = 384;
  int depth = 12;
  int heads = 6;
  int mlp_ratio = 4;
};

}  // namespace gradatim::neural
