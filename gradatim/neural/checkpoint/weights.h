// Weights: the arrays of a checkpoint under the names that a network's parameters have, wherever
// and however they lie: one file or several, mapped, of any type of real numbers, renamed from
// another layout, or with the changes of a LoRA on top. A source of these is asked for one array
// after the other, so that no two copies of a whole checkpoint are in memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class Weights {
 public:
  virtual ~Weights() = default;

  /// The file or folder, for messages.
  virtual const std::string& source() const = 0;
  virtual std::vector<std::string> names() const = 0;
  /// As the network has it. Of a name that names() lacks: ModelError GRD-3064.
  virtual std::vector<std::int64_t> shape(const std::string& name) const = 0;
  /// float32, float16, bfloat16 or float64, as it lies there: it looks into the mapped file, which
  /// lives as long as the tensor, where that is aligned, and is a copy elsewhere. ModelError
  /// GRD-3003 where the numbers are of another type.
  virtual Tensor read(const std::string& name) const = 0;
  /// The bytes of an array that read() gave are not needed any more: its pages may leave memory.
  virtual void forget(const std::string&) const {}
};

}  // namespace gradatim::neural
