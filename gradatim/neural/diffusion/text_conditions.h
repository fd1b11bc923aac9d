// TextConditions: what a field's network attends to under conditions that are texts, made once of
// each text and kept for all steps of a sampling. A sample's numbers do not depend on the texts
// beside its own; one text for all and the same text one a row give the same but for rounding.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/train/caption_tokens.h"
#include "gradatim/process/field.h"

namespace gradatim::neural {

class TextConditions {
 public:
  TextConditions(std::shared_ptr<Net> net, std::shared_ptr<const CaptionTokens> tokens,
                 at::Device device)
      : net_(std::move(net)), tokens_(std::move(tokens)), device_(device) {}

  /// For `size` rows from `first` on under each of the conditions, one behind the other: where each
  /// has one text for all rows, that alone, and what the network keeps of it.
  void tell(std::span<const process::ConditionPtr> conditions, std::span<const std::int64_t> rows,
            std::int64_t first, std::int64_t size, NetInput& input) const;
  /// UsageError GRD-1104 where a condition is no text, and those of CaptionTokens::of().
  void check(const process::Condition* condition) const;

 private:
  const Tensor& contexts(const process::ConditionPtr& condition) const;

  std::shared_ptr<Net> net_;
  std::shared_ptr<const CaptionTokens> tokens_;
  at::Device device_;
  // [texts, tokens, width] of each condition. A field belongs to one thread at a time.
  mutable std::map<process::ConditionPtr, Tensor> contexts_;
  mutable std::vector<process::ConditionPtr> kept_for_;
  mutable ContextKeys kept_;
};

}  // namespace gradatim::neural
