// Where networks compute, and with how many threads.
#pragma once

#include <string>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// "cpu", "cuda" or "cuda:1". UsageError GRD-1163 for anything else, and where torch has no CUDA.
at::Device device_of(const std::string& name);

/// torch's threads are those of core/parallel.h's scope as long as this lives: one count for both.
class TorchThreads {
 public:
  /// Only one where `operations`, between two waits for all rows, are too few to be worth dividing.
  explicit TorchThreads(double operations);
  ~TorchThreads();
  TorchThreads(const TorchThreads&) = delete;
  TorchThreads& operator=(const TorchThreads&) = delete;

 private:
  int before_;
};

}  // namespace gradatim::neural
