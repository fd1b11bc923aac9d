// ContinuousFlowModel: what neural.continuous_flow saves, samples from and takes densities by.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gradatim/neural/diffusion/field_model.h"
#include "gradatim/neural/model/continuous_flow.h"
#include "gradatim/neural/train/batches.h"

namespace gradatim::neural {

/// Up to so many numbers of a sample the automatic trace is exact.
inline constexpr std::int64_t kExactDims = 8;
/// 0: the exact trace; else the probes of an estimated one.
std::int64_t probes_of(const ContinuousFlowConfig& config, std::int64_t dims);

/// Batches of samples and noise on the straight path.
BatchPlan batch_plan(const ContinuousFlowPlan& plan);
/// A network for a plan and its samples, with initial values, or in memory with those of a model's
/// file.
FieldParts flow_parts(const ContinuousFlowPlan& plan, const SampleKind& kind, std::uint64_t seed,
                      at::Device device);
FieldParts flow_parts(const ContinuousFlowPlan& plan, const SampleKind& kind,
                      const SafetensorsFile& file);

class ContinuousFlowModel final : public FieldModel {
 public:
  ContinuousFlowModel(ContinuousFlowPlan plan, data::ModelCard card, SampleKind kind, Scale scale,
                      FieldParts parts)
      : FieldModel(std::move(card), std::move(kind), std::move(scale), std::move(parts)),
        plan_(std::move(plan)) {}
  static std::shared_ptr<const ContinuousFlowModel> load(const ContinuousFlowPlan& plan,
                                                         const SafetensorsFile& file,
                                                         const data::ModelCard& card);

  std::vector<std::pair<std::string, double>> evaluate_samples(const data::Samples& samples,
                                                               std::uint64_t seed) const override;
  api::Settings sampler() const override;
  bool plain_time() const override { return true; }

 private:
  std::shared_ptr<const FieldModel> again(at::Device device) const override;

  ContinuousFlowPlan plan_;
};

}  // namespace gradatim::neural
