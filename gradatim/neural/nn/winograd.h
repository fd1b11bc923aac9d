// A convolution of 3 x 3 by 36 matrix products instead of 144 a tile (kernel/winograd.h): two to
// three times as fast where images are large. Its weights take four times the memory, so it is for
// layers whose images dwarf them; errors are some ten times those of a plain convolution.
#pragma once

#include <vector>

#include "gradatim/neural/nn/packed.h"

namespace gradatim::neural {

class Winograd {
 public:
  /// Whether it is worth its memory for filters [out, in, 3, 3] and images of these sizes.
  static bool suits(at::IntArrayRef filters, at::IntArrayRef images, const Sliding& how);

  explicit Winograd(const Tensor& filters);
  /// Of planes() of another.
  Winograd(std::vector<Tensor> planes, std::int64_t in, std::int64_t out)
      : in_(in), out_(out), planes_(std::move(planes)) {}
  /// x: channels-last, as what is given back; bias: [out].
  Tensor operator()(const Tensor& x, const Tensor& bias) const;
  std::int64_t bytes() const;
  const std::vector<Tensor>& planes() const { return planes_; }

 private:
  std::int64_t in_, out_;
  std::vector<Tensor> planes_;  // [out, in] each, packed
};

}  // namespace gradatim::neural
