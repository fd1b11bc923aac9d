#pragma once

namespace gradatim::neural {

struct MixtureBaseConfig {
  int components = 8;
  double spread = 1.0;

  static constexpr const char* kMaker = "gradatim_make_mixture_base";
};

}  // namespace gradatim::neural
