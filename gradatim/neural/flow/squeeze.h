// Space to depth: [channels, height, width] -> [4 channels, height / 2, width / 2]; a square of
// 2 x 2 pixels of channel c is at channels 4 c (upper left, upper right, lower left, lower right).
#pragma once

#include "gradatim/neural/flow/transform.h"

namespace gradatim::neural {

class Squeeze final : public Transform {
 public:
  /// UsageError GRD-1191 where a sample is no image of even height and width.
  explicit Squeeze(const FlowPlace& place);
  Moved forward(const Tensor& x, const Tensor& context) const override;
  Moved inverse(const Tensor& y, const Tensor& context) const override;
  std::vector<std::int64_t> out_shape(const std::vector<std::int64_t>& sample) const override {
    return {4 * sample[0], sample[1] / 2, sample[2] / 2};
  }
};

}  // namespace gradatim::neural
