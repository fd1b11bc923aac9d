// bfloat16: the numbers of a step's multiplications, where the processor has instructions for them.
#pragma once

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// UsageError GRD-1180 where `device` does not multiply bfloat16 quickly.
void check_bfloat16(at::Device device);

/// As long as this lives and is on, in this thread, torch's products, convolutions and attention on
/// the processor take and give bfloat16 (they sum in float32), whatever they are given.
class Bfloat16 {
 public:
  explicit Bfloat16(bool on);
  ~Bfloat16();
  Bfloat16(const Bfloat16&) = delete;
  Bfloat16& operator=(const Bfloat16&) = delete;

  /// Whether one lives and is on.
  static bool is_on();

 private:
  bool on_;
};

}  // namespace gradatim::neural
