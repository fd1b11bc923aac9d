// Memory of large temporaries, kept for the next step.
//
// malloc gives blocks of this size back to the system at once, and each new one costs a fault and
// a page of zeros for every 4 KB: a fifth of a small U-Net's step. While a PooledMemory lives,
// torch's memory of processors comes from a pool of blocks of malloc; at other times from where it
// came before. Tensors may outlive the pass, be freed on any thread, and be freed by either
// allocator. The pool is emptied when the last KeptMemory goes.
//
// torch's allocator is put in front of once, when the first network is made, and stays: torch reads
// it without a lock, so it must not change while other threads compute.
#pragma once

#include <mutex>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// What a network holds as long as it may compute.
class KeptMemory {
 public:
  KeptMemory();
  ~KeptMemory();
  KeptMemory(const KeptMemory&) = delete;
  KeptMemory& operator=(const KeptMemory&) = delete;
};

/// What a pass holds. Passes may nest and run in several threads.
class PooledMemory {
 public:
  PooledMemory();
  ~PooledMemory();
  PooledMemory(const PooledMemory&) = delete;
  PooledMemory& operator=(const PooledMemory&) = delete;
};

/// Gives back what lies in the pool for the next step: between networks that need other sizes.
void release_pooled_memory();

/// Numbers that are needed for a moment, one after the other and of like sizes, outside the pool,
/// which would keep a block of each.
class ScratchMemory {
 public:
  /// float32 of that shape, to be written; good until the next call. The caller holds mutex().
  Tensor numbers(at::IntArrayRef sizes);
  std::mutex& mutex() { return mutex_; }

 private:
  std::mutex mutex_;
  Tensor block_;
};

}  // namespace gradatim::neural
