// Numbers in another order, which is fixed: drawn from the step's place, or reversed.
#pragma once

#include "gradatim/neural/bijection/permutation.h"
#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class Permutation final : public Transform {
 public:
  Permutation(const FlowPlace& place, Order order);
  Moved forward(const Tensor& x, const Tensor&) const override { return moved(x, there_); }
  Moved inverse(const Tensor& y, const Tensor&) const override { return moved(y, back_); }

 private:
  static Moved moved(const Tensor& x, const Tensor& order) {
    return {x.flatten(1).index_select(1, order.to(x.device())).view_as(x), {}};
  }

  Tensor there_, back_;  // number j becomes that of there_[j]
};

}  // namespace gradatim::neural
