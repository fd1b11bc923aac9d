// Autoregressive: y_j = f(x_j; c(x_1 .. x_{j-1})), f a ScalarMap and c a Made, so that the Jacobian
// is triangular. Its inverse finds the numbers in their order, a pass each, of which the last layer
// is asked for one number alone.
#pragma once

#include <memory>

#include "gradatim/neural/flow/made.h"
#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {

class Autoregressive final : public Transform {
 public:
  /// `inverse`: forward() and inverse() change places. Odd places take the numbers in reverse.
  Autoregressive(const FlowPlace& place, const ConditionerConfig& conditioner,
                 std::unique_ptr<ScalarMap> map, bool inverse);

  Moved forward(const Tensor& x, const Tensor& context) const override {
    return inverse_ ? solved(x, context) : mapped(x, context);
  }
  Moved inverse(const Tensor& y, const Tensor& context) const override {
    return inverse_ ? mapped(y, context) : solved(y, context);
  }

 private:
  Moved mapped(const Tensor& x, const Tensor& context) const;
  Moved solved(const Tensor& y, const Tensor& context) const;

  std::unique_ptr<ScalarMap> map_;
  Made made_;
  bool inverse_;
};

}  // namespace gradatim::neural
