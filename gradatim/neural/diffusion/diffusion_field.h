// DiffusionField: a network as the field of a process.
//
// Rows go through the network in chunks of a fixed size, the last one padded, and all conditions of
// a chunk in one batch: a row's bits do not depend on how many rows are asked for.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "gradatim/neural/diffusion/text_conditions.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/process/field.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"

namespace gradatim::neural {

struct FieldParts {
  std::shared_ptr<Net> net;
  std::shared_ptr<const process::Path> path;  // that it was trained on
  std::shared_ptr<const process::Prediction> prediction;
  NetworkShape shape;
  at::Device device = at::kCPU;
  bool unlabelled = true;   // whether it learned without labels, too
  bool independent = true;  // whether noise was drawn independently of the data
  std::shared_ptr<const CaptionTokens> captions = nullptr;  // that it learned, instead of labels
};

class DiffusionField final : public process::Field {
 public:
  explicit DiffusionField(FieldParts parts) : parts_(std::move(parts)) {
    if (parts_.captions) texts_.emplace(parts_.net, parts_.captions, parts_.device);
  }

  const process::Prediction& prediction() const override { return *parts_.prediction; }
  void eval(process::Space& space, const process::Query& query,
            std::span<const process::ConditionPtr> conditions,
            std::span<process::Vec> out) const override {
    ask(space, query, conditions, out, {});
  }
  bool learns_variance() const override { return parts_.shape.outputs == 2; }
  void eval_with_variance(process::Space& space, const process::Query& query,
                          std::span<const process::ConditionPtr> conditions,
                          std::span<process::Vec> out,
                          std::span<process::Vec> variance) const override;
  process::Vec vjp(process::Space& space, const process::Query& query,
                   const process::ConditionPtr& condition, const process::Vec& w) const override;
  bool differentiable() const override { return true; }
  void products(process::Space& space, const process::Query& query,
                const process::ConditionPtr& condition, std::span<const process::Vec> vectors,
                std::span<double> out) const override;
  bool independent_noise() const override { return parts_.independent; }
  void check(const process::Condition* condition) const override;

 private:
  void ask(process::Space& space, const process::Query& query,
           std::span<const process::ConditionPtr> conditions, std::span<process::Vec> out,
           std::span<process::Vec> variance) const;
  std::int64_t dims() const { return c10::multiply_integers(parts_.shape.sample); }
  std::int64_t chunk() const;
  Tensor labels(const process::Query& query, const process::Condition* condition,
                std::int64_t first, std::int64_t rows) const;
  // Labels or texts of rows under each of the conditions, one behind the other.
  void tell(const process::Query& query, std::span<const process::ConditionPtr> conditions,
            std::int64_t first, std::int64_t rows, NetInput& input) const;
  Tensor times(const process::Query& query, std::int64_t first, std::int64_t rows) const;

  FieldParts parts_;
  std::optional<TextConditions> texts_;
};

}  // namespace gradatim::neural
