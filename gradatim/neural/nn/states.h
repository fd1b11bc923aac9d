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

/// A state of a tensor's numbers, written in place by `fill` where the space's memory allows.
template <class F>
process::Vec filled(process::Space& space, std::int64_t rows, std::int64_t dims, const F& fill) {
  using process::HostSpace;
  if (auto* host = dynamic_cast<HostSpace<float>*>(&space)) {
    process::Vec made = host->make(rows, dims);
    fill(at::from_blob(HostSpace<float>::writable(made), {rows, dims}, at::kFloat));
    return made;
  }
  const Tensor numbers = at::empty({rows, dims}, at::kFloat);
  fill(numbers);
  const Tensor doubles = numbers.to(at::kDouble);
  return space.from({doubles.const_data_ptr<double>(), to_size(doubles.numel())}, rows, dims);
}

/// Rows that go through a network at once.
std::int64_t chunk_rows(const NetworkShape& shape);
/// Rows [first, first + rows) of x, and behind its end the last one again.
Tensor padded(const Tensor& x, std::int64_t first, std::int64_t rows);
/// [rows, dims] as [rows, sample...].
Tensor shaped(const Tensor& rows, const NetworkShape& shape);

}  // namespace gradatim::neural
