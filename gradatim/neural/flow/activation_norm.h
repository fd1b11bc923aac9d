// y = (x + b) exp(s), a pair of parameters a channel of images, or a number of a row.
#pragma once

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class ActivationNorm final : public Transform {
 public:
  explicit ActivationNorm(const FlowPlace& place);
  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;
  /// Mean 0 and deviation 1 of what x becomes. A channel that is the same everywhere keeps its
  /// scale.
  void start(const Tensor& x, const Tensor& context) override;

 private:
  std::vector<std::int64_t> sizes_;  // [channels, 1, 1] or [dims]
  std::int64_t places_;              // of a sample that share a scale
  Tensor log_scale_, shift_;
};

}  // namespace gradatim::neural
