// A vector as few numbers, and back: linear layers, where it has not just as many.
#pragma once

#include <optional>

#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural {

class FewNumbers {
 public:
  FewNumbers(const Scope& scope, std::int64_t dims, std::int64_t numbers) {
    if (dims == numbers) return;
    in_.emplace(scope / "project_in", dims, numbers);
    out_.emplace(scope / "project_out", numbers, dims);
  }
  Tensor in(const Tensor& z) const { return in_ ? (*in_)(z) : z; }
  Tensor out(const Tensor& numbers) const { return out_ ? (*out_)(numbers) : numbers; }

 private:
  std::optional<Dense> in_, out_;
};

}  // namespace gradatim::neural
