// UnetField: the U-Net of a checkpoint as a process's field: latents of one size, under conditions
// that are texts.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gradatim/neural/nn/net.h"
#include "gradatim/process/field.h"
#include "gradatim/process/path.h"

namespace gradatim::neural {

/// A text as the U-Net is told it.
class TextStates final : public process::Condition {
 public:
  explicit TextStates(Tensor states) : states_(std::move(states)) {}
  const Tensor& states() const { return states_; }

 private:
  Tensor states_;  // [1, tokens, width]
};

/// What a field of this kind is made of.
struct UnetFieldParts {
  std::shared_ptr<Net> net;
  std::shared_ptr<const process::Path> path;
  std::shared_ptr<const process::Prediction> prediction;
  std::vector<std::int64_t> sample;  // {channels, height, width} of latents
  Tensor beside;                     // [1, channels, height, width] behind latents, or undefined
  bool one_by_one = false;           // conditions one after the other, for memory's sake
};

class UnetField final : public process::Field {
 public:
  explicit UnetField(UnetFieldParts parts) : parts_(std::move(parts)) {}

  const process::Prediction& prediction() const override { return *parts_.prediction; }
  void eval(process::Space& space, const process::Query& query,
            std::span<const process::ConditionPtr> conditions,
            std::span<process::Vec> out) const override;
  /// The same at what the network is told of the time.
  void output(process::Space& space, const process::Vec& x, double told,
              std::span<const process::ConditionPtr> conditions, std::span<process::Vec> out) const;
  /// UsageError GRD-1104 where a condition is no text.
  void check(const process::Condition* condition) const override;

 private:
  // [conditions, sample...]
  Tensor said(const Tensor& x, double told,
              std::span<const process::ConditionPtr> conditions) const;

  UnetFieldParts parts_;
  // A field belongs to one thread at a time.
  mutable std::vector<process::ConditionPtr> kept_for_;
  mutable ContextKeys kept_;
};

}  // namespace gradatim::neural
