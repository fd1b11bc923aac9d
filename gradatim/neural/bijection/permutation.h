#pragma once

namespace gradatim::neural {

enum class Order { drawn, reverse };

struct PermutationConfig {
  Order order = Order::drawn;

  static constexpr const char* kMaker = "gradatim_make_permutation";
};

}  // namespace gradatim::neural
