// y = P L (U + diag(exp(s))) x for the channels of every pixel, or the numbers of a row: L unit
// lower triangular, U strictly upper. P is a permutation that the step's number decides, so that
// any file's parameters meet the one that they were learned with.
#pragma once

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class InvertibleConvolution final : public Transform {
 public:
  explicit InvertibleConvolution(const FlowPlace& place);
  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;

 private:
  Tensor lower(at::ScalarType type) const;
  Tensor upper(at::ScalarType type) const;

  std::int64_t channels_, places_;
  Tensor order_;  // row k of the product is row order[k] of what is permuted
  Tensor lower_, upper_, log_diagonal_;
};

}  // namespace gradatim::neural
