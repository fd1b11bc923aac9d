// s = max(quantile of |D| in a row, range); D' = clip(D, -s, s) range / s.
#include <algorithm>

#include "gradatim/process/guidance/inner.h"

namespace gradatim::process {
namespace {

class DynamicThreshold final : public GuidedDenoiser {
 public:
  DynamicThreshold(DenoiserPtr inner, const Threshold& threshold)
      : GuidedDenoiser(std::move(inner)), threshold_(threshold) {}

  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override {
    inner().data_and_aside(space, query, conditions, out, aside);
    factors_.resize(conditions.size());
    bound_.resize(query.t.size());
    for (std::size_t k = 0; k < conditions.size(); ++k) {
      const Vec data = space.combine(out[k]);
      space.reduce(Reduction::abs_quantile, data, {}, threshold_.level, bound_);
      factors_[k].resize(bound_.size());
      for (std::size_t i = 0; i < bound_.size(); ++i) {
        if (threshold_.most > 0.0) bound_[i] = std::min(bound_[i], threshold_.most);
        bound_[i] = std::max(bound_[i], threshold_.range);
        factors_[k][i] = threshold_.range / bound_[i];
      }
      out[k].clear();
      out[k].add(1.0, space.clamp(data, bound_), factors_[k]);
    }
  }

 private:
  Threshold threshold_;
  mutable std::vector<double> bound_;
  mutable std::vector<std::vector<double>> factors_;
};

class ThresholdGuidance final : public NestedGuidance {
 public:
  ThresholdGuidance(const Threshold& config, std::span<const api::Made> parts)
      : NestedGuidance(parts), config_(config) {}

 protected:
  DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr, const GuidanceContext&) const override {
    return dynamic_threshold(std::move(inner), config_);
  }

 private:
  Threshold config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&Threshold::level>(
        {.doc = "The quantile of absolute values in a row that is clipped at.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&Threshold::range>(
        {.doc = "The data lie in [-range, range].", .range = api::above(0.0)}),
    api::setting<&Threshold::most>(
        {.doc = "A bound for the quantile; 0 is none. Equal to range, it clips statically.",
         .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.guidance.dynamic_threshold",
    .summary = "Predicted data clipped, row by row, to a quantile of theirs and scaled back.",
    .detail = "Choose the guidance as the part `inner`.",
    .source =
        "Saharia et al. (2022), Photorealistic text-to-image diffusion models with deep "
        "language understanding, section 2.3",
};

}  // namespace

DenoiserPtr dynamic_threshold(DenoiserPtr inner, const Threshold& threshold) {
  return std::make_shared<DynamicThreshold>(std::move(inner), threshold);
}

}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_dynamic_threshold) =
    gradatim::api::component<gradatim::process::ThresholdGuidance, gradatim::process::Threshold>(
        gradatim::process::kText, gradatim::process::kSettings, gradatim::process::kInnerGuidance);
