// Dropout: what a step of training leaves out, a pure function of the step's draws.
#pragma once

#include <cstdint>
#include <optional>

#include "gradatim/core/philox.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class Dropout {
 public:
  explicit Dropout(const std::optional<Philox>& draws) : draws_(draws) {}

  /// What the next layer's numbers x are multiplied by: 0 with this chance, else 1 / (1 - chance).
  /// Undefined where nothing is left out.
  Tensor mask(const Tensor& x, double chance);

 private:
  std::optional<Philox> draws_;
  std::uint64_t layer_ = 0;
};

}  // namespace gradatim::neural
