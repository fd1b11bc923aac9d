#pragma once

namespace gradatim::neural {

struct LuLinearConfig {
  bool bias = true;

  static constexpr const char* kMaker = "gradatim_make_lu_linear";
};

}  // namespace gradatim::neural
