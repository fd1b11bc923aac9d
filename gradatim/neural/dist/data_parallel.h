// DataParallel: any torch::nn::Module, trained by several processes on parts of every batch, as
// torch.nn.parallel.DistributedDataParallel trains it in Python.
//
//  1. Every rank makes the module, with its parameters on their device, and a DataParallel around
//     it: parameters and buffers become those of rank 0.
//  2. Every rank computes the loss of its own part of the batch, a mean over as many samples on
//     each, and calls backward(). Gradients travel in buckets: as soon as all of a bucket's are
//     there, the ranks add it up, while the pass goes on (gradient_sum.h).
//  3. finish() waits for the sums and divides them by the number of ranks: gradients are now those
//     of the whole batch, the same on every rank, and so is what an optimizer makes of them.
//  4. Passes while a no_sync() lives only add to this rank's gradients, which the first pass
//     without travels with.
//
// A parameter that no rank's loss reaches keeps its gradient, mostly none; one that some ranks'
// losses reach has the sum of theirs. Li and others (2020), PyTorch distributed: experiences on
// accelerating data parallel training.
//
// Buffers, such as the running means of batch norms, stay each rank's own until share_buffers().
#pragma once

#include <cstdint>
#include <memory>

#include "gradatim/dist/group.h"
#include "gradatim/neural/training.h"

namespace torch::nn {
class Module;
}

namespace gradatim::neural {

struct DataParallelOptions {
  std::int64_t first_bucket_bytes = 1 << 20;
  std::int64_t bucket_bytes = 25 << 20;
  GradientCompression compression = GradientCompression::none;
};

class DataParallel {
 public:
  /// Module and group stay the caller's, and outlive it. DistributedError GRD-5004 where ranks have
  /// other names, shapes or kinds of parameters or buffers; UsageError GRD-1186 for parameters that
  /// are no float, double or bfloat16.
  DataParallel(torch::nn::Module& module, dist::Group& group, DataParallelOptions options = {});
  ~DataParallel();
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  /// Behind backward(), on every rank.
  void finish();

  /// While it lives, gradients stay on their rank.
  class Quiet {
   public:
    explicit Quiet(DataParallel& parallel);
    ~Quiet();
    Quiet(const Quiet&) = delete;
    Quiet& operator=(const Quiet&) = delete;

   private:
    DataParallel& parallel_;
  };
  [[nodiscard]] Quiet no_sync() { return Quiet(*this); }

  /// Buffers become those of rank 0; before a module is evaluated or saved.
  void share_buffers();
  /// DistributedError GRD-5004 where parameters are not the same on all ranks, to the bit.
  void check_replicas();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace gradatim::neural
