// DiffusionModel: what neural.diffusion saves and samples from.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/neural/diffusion/field_model.h"
#include "gradatim/neural/model/diffusion.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

BatchPlan batch_plan(const DiffusionPlan& plan);
/// What a network for a plan and its samples is: with initial values, or in memory with those of a
/// model's file.
FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind,
                       std::shared_ptr<const CaptionTokens> captions, std::uint64_t seed,
                       at::Device device);
FieldParts field_parts(const DiffusionPlan& plan, const SampleKind& kind,
                       const SafetensorsFile& file);

class DiffusionModel final : public FieldModel {
 public:
  DiffusionModel(DiffusionPlan plan, data::ModelCard card, SampleKind kind, Scale scale,
                 FieldParts parts)
      : FieldModel(std::move(card), std::move(kind), std::move(scale), std::move(parts)),
        plan_(std::move(plan)) {}
  static std::shared_ptr<const DiffusionModel> load(const DiffusionPlan& plan,
                                                    const SafetensorsFile& file,
                                                    const data::ModelCard& card);

  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  api::Settings sampler() const override;

 private:
  std::shared_ptr<const FieldModel> again(at::Device device) const override;

  DiffusionPlan plan_;
};

}  // namespace gradatim::neural
