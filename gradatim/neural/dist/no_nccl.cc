// In place of nccl_engine.cc where torch has no CUDA, or its headers were not there at the build.
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "gradatim/core/error.h"
#include "gradatim/neural/dist/nccl_engine.h"

namespace gradatim::neural {

bool has_nccl() { return false; }
void prepare_nccl() {}

c10::intrusive_ptr<c10d::Backend> nccl_engine(const c10::intrusive_ptr<c10d::Store>&, int, int,
                                              std::chrono::milliseconds) {
  GRADATIM_ASSERT(has_nccl());
  return {};
}

}  // namespace gradatim::neural
