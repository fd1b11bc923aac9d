// The training loop, one for every network of the house.
//
//  1. A model derives Objective: the parameters, and what a step adds to their gradients.
//  2. train() repeats: gradients of a step, their norm held, AdamW, the moving average; it tells
//     the observer, writes checkpoints, and goes on from one.
//  3. It returns the parameters to keep: the moving average, where one is wanted.
//
// Ranks of a group train together: each computes its rows of every batch, and what follows from the
// gradients is the same on all (replicas.h). Rank 0 alone writes, and its checkpoint is what all go
// on from.
//
// A step is a pure function of its number, so a fit that was cut off and goes on ends in the same
// bytes (with the same processor, torch, ranks and, but for perceptrons, number of threads).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gradatim/data/checkpoint_file.h"
#include "gradatim/data/model.h"
#include "gradatim/neural/nn/parameters.h"
#include "gradatim/neural/train/replicas.h"
#include "gradatim/neural/training.h"

namespace gradatim::neural {

class Objective {
 public:
  virtual ~Objective() = default;
  virtual Parameters& parameters() = 0;
  /// Called once, before the first step of this process.
  virtual void begin(std::int64_t /*first*/, std::int64_t /*last*/, Replicas& /*replicas*/) {}
  /// The loss of step 0, 1, ...; adds its gradients, which are 0 before. Of a group, the loss of
  /// this rank's rows over all rows, and their gradients.
  virtual double step(std::int64_t step) = 0;
  /// Called when the gradients of a step are whole, on every rank, and before the update by them:
  /// for what is learned in another way, by sums that travelled among the gradients.
  virtual void before_update(std::int64_t /*step*/) {}
  /// The model with these parameters, to be looked at while training goes on. It is the same object
  /// at every call.
  virtual std::shared_ptr<const data::Model> model(const Tensor& parameters) = 0;
};

struct Trained {
  Tensor parameters;  // like Parameters::values()
  // "train.loss": means over equal parts of the steps; "valid.loss" and so on, where samples to
  // watch were given: at first and after each tenth of the steps.
  std::vector<data::History> history;
  std::int64_t steps = 0;
};

/// `identity` is what the fit must have in common with a checkpoint, and with the other ranks, else
/// DistributedError GRD-5004. NumericError GRD-4029 where a loss is not finite.
Trained train(Objective& objective, const TrainingConfig& config, const data::FitRequest& request,
              const data::Identity& identity);

}  // namespace gradatim::neural
