// Built where torch has CUDA and the headers of CUDA and NCCL are there, which pip brings with it.
// Compiled against those headers; run on no device so far.
#define USE_C10D_NCCL
#include "gradatim/neural/dist/nccl_engine.h"

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace gradatim::neural {

bool has_nccl() { return true; }

// Else a broken operation ends the process from a thread of torch's, not in wait().
void prepare_nccl() {
  ::setenv("TORCH_NCCL_BLOCKING_WAIT", "1", 0);
  ::setenv("TORCH_NCCL_ENABLE_MONITORING", "0", 0);
}

c10::intrusive_ptr<c10d::Backend> nccl_engine(const c10::intrusive_ptr<c10d::Store>& store,
                                              int rank, int size,
                                              std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(store, rank, size, options);
}

}  // namespace gradatim::neural
