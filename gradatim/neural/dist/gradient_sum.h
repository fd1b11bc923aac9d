// GradientSum: gradients that the ranks of a group add up while a backward pass goes on.
//
//  1. Gradients lie in flat buckets, in the order in which a backward pass is done with them, about
//     the reverse of the order of parameters (buckets_of).
//  2. ready() says that a parameter's gradient is whole. Where it was the last one of its bucket,
//     and the buckets before are on their way, the bucket's all-reduce starts.
//  3. finish() starts those that are left, such as of parameters that the loss does not reach, and
//     waits for all: every bucket is then the sum over the ranks, the same on each.
//
// Buckets start in their order on every rank, whatever order gradients come in, which is what a
// group asks for. Gradients may travel as bfloat16, half the bytes. On another device than the
// processor they are added up where they lie if the group can (device_group.h), else by way of the
// processor's memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/dist/group.h"
#include "gradatim/neural/dist/device_group.h"
#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

/// Parameters of each bucket, from the last parameter to the first: a small bucket first, so that
/// it leaves early, then buckets of about `most` bytes. A bucket's numbers are of one kind.
std::vector<std::vector<std::size_t>> buckets_of(std::span<const Tensor> parameters,
                                                 std::int64_t first, std::int64_t most);

class GradientSum {
 public:
  /// The buckets' memory is the caller's. `before_start` is called with a bucket that is about to
  /// leave.
  GradientSum(dist::Group& group, std::vector<std::vector<std::size_t>> members,
              std::vector<Tensor> buckets, GradientCompression compression,
              std::function<void(std::size_t bucket)> before_start = {});
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  /// UsageError GRD-1187 where the parameter was ready before and finish() was not called.
  void ready(std::size_t parameter);
  /// `also` are numbers in memory that travel behind the buckets, or undefined.
  void finish(const Tensor& also = {});

 private:
  void start(Tensor numbers, DeviceGroup* devices);
  void start_next();
  void begin();

  dist::Group& group_;
  DeviceGroup* devices_ = nullptr;  // the same group, where it adds up on the buckets' device
  std::vector<std::vector<std::size_t>> members_;
  std::vector<std::size_t> bucket_of_;
  std::vector<Tensor> buckets_;
  GradientCompression compression_;
  std::function<void(std::size_t)> before_start_;
  // Of this pass.
  std::vector<bool> ready_;
  std::vector<std::size_t> missing_;  // of each bucket
  std::vector<Tensor> sent_;          // the buckets, or copies
  std::vector<std::unique_ptr<dist::Work>> works_;
};

/// A tensor's numbers, which are contiguous in the processor's memory. UsageError GRD-1186 where a
/// group cannot add up their kind.
dist::Numbers numbers_of(const Tensor& tensor);
/// Makes a tensor that of rank 0.
void take_first(dist::Group& group, const Tensor& tensor);
/// DistributedError GRD-5004 where the tensors are not the same on all ranks, to the bit.
void require_equal(dist::Group& group, std::string_view what, std::span<const Tensor> tensors);

}  // namespace gradatim::neural
