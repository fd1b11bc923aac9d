// States of a process as tensors and back, in chunks of a fixed size.
#pragma once

#include <cstdint>

#include "gradatim/neural/network.h"
#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/size.h"
#include "gradatim/process/host_space.h"

namespace gradatim::neural {

/// [rows, dims] of a state as float32, without a copy where it lies in memory as such.
Tensor tensor_of(process::Space& space, const process::Vec& x);

/// A state in the making: a tensor over the space's own memory where that allows it, else one whose
/// numbers are copied into the space at the end.
class Output {
 public:
  Output(process::Space& space, std::int64_t rows, std::int64_t dims);

  const Tensor& numbers() const { return numbers_; }
  /// What the tensor holds by now.
  process::Vec done() const;

 private:
  process::Space& space_;
  process::Vec made_;
  Tensor numbers_;  // [rows, dims]
  bool copied_ = false;
};

/// Rows that go through a network at once.
std::int64_t chunk_rows(const NetworkShape& shape);
/// Rows [first, first + rows) of x, and behind its end the last one again.
Tensor padded(const Tensor& x, std::int64_t first, std::int64_t rows);
/// [rows, dims] as [rows, sample...].
Tensor shaped(const Tensor& rows, const NetworkShape& shape);

}  // namespace gradatim::neural
