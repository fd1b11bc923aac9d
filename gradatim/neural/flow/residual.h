// y = x + g(x), g a Contraction. ln |det| is that of I + dg/dx, by its matrix or by its power
// series; x is the limit of x <- y - g(x).
#pragma once

#include "gradatim/neural/bijection/residual.h"
#include "gradatim/neural/flow/contraction.h"
#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class Residual final : public Transform {
 public:
  Residual(const FlowPlace& place, const ResidualConfig& config);
  Moved forward(const Tensor& x, const Tensor& context) const override;
  /// NumericError GRD-4033 where the iteration does not converge, GRD-4032 where it is not finite.
  Moved inverse(const Tensor& y, const Tensor& context) const override;

 private:
  using Matrices = std::vector<Tensor>;
  Moved moved(const Matrices& matrices, const Tensor& x, const Tensor& context) const;
  Tensor log_det_series(const Matrices& matrices, const std::vector<Tensor>& slopes,
                        const Tensor& x) const;
  Tensor fixed_point(const Matrices& matrices, const Tensor& y, const Tensor& context) const;
  // v (I + dg/dx)^-1 at x.
  Tensor gradient_back(const Matrices& matrices, const Tensor& x, const Tensor& context,
                       const Tensor& v) const;

  ResidualTrace trace_;
  std::int64_t number_;
  int terms_, iterations_;
  Contraction net_;
};

}  // namespace gradatim::neural
