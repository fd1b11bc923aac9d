// NCCL's operations, where torch computes with CUDA.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace gradatim::neural {

/// Whether this build has them.
bool has_nccl();
/// Says how it is to fail, in the process's environment, where nobody has: before other threads
/// ask.
void prepare_nccl();
/// Ranks meet at the store in the first operation. An operation that takes longer throws.
c10::intrusive_ptr<c10d::Backend> nccl_engine(const c10::intrusive_ptr<c10d::Store>& store,
                                              int rank, int size,
                                              std::chrono::milliseconds timeout);

}  // namespace gradatim::neural
