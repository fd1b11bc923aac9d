// Replicas: the copies of one network that the ranks of a group train, each on its part of every
// batch.
//
//  1. Where they begin, all ranks must have the same parameters.
//  2. A rank computes rows() of a batch. Before the last part of its rows it says last_part():
//     what that pass adds makes gradients whole, and they leave bucket by bucket.
//  3. finish() makes gradients and loss those of the whole batch, on every rank, and tells what
//     rank 0, whose clock counts, has decided.
//
// A process by itself has all rows, and nothing travels.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "gradatim/data/model.h"
#include "gradatim/dist/group.h"
#include "gradatim/neural/dist/gradient_hooks.h"
#include "gradatim/neural/dist/gradient_sum.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

/// The request's group, or this process alone.
dist::Group& group_of(const data::FitRequest& request);

/// What a step ends in.
struct StepEnd {
  double loss = 0.0;
  bool stop = false;  // the time is over
  bool keep = false;  // a checkpoint is due
};

class Replicas {
 public:
  /// UsageError GRD-1185 where ranks do not divide the batch.
  Replicas(dist::Group& group, Parameters& parameters, const TrainingConfig& config);

  dist::Group& group() const { return group_; }
  bool first() const { return group_.rank() == 0; }

  struct Rows {
    std::int64_t first, count;
  };
  /// This rank's rows of a batch.
  Rows rows(std::int64_t batch) const;
  void last_part() { whole_ = true; }
  /// The loss is the sum over the ranks.
  StepEnd finish(StepEnd mine);
  /// DistributedError GRD-5004 where parameters, or what is `kept` of them, are not the same on all
  /// ranks, to the bit.
  void require_equal(const Tensor& kept) const;

 private:
  dist::Group& group_;
  Parameters& parameters_;
  bool whole_ = false;  // whether the gradients of this pass are to leave
  std::optional<GradientSum> sum_;
  std::optional<GradientHooks> hooks_;
};

}  // namespace gradatim::neural
