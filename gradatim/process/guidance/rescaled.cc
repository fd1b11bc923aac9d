// F' = (phi std(F_plain) / std(F) + 1 - phi) F, row by row, of the field's own output F.
//
// With D = a x + b F, D - a x is F but for a factor that cancels: D' = a x + factor (D - a x).
#include "gradatim/process/guidance/inner.h"

namespace gradatim::process {
namespace {

class Rescaled final : public GuidedDenoiser {
 public:
  Rescaled(DenoiserPtr inner, double strength)
      : GuidedDenoiser(std::move(inner)), strength_(strength) {}

  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override {
    if (strength_ == 0.0) {
      inner().data_and_aside(space, query, conditions, out, aside);
      return;
    }
    const std::size_t rows = query.t.size();
    plain_.resize(conditions.size());
    inner().data_and_aside(space, query, conditions, out, {plain_, aside.variance});
    skip_.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      skip_[i] = i > 0 && query.t[i] == query.t[i - 1] ? skip_[i - 1] : skip(query.t[i]);
    }
    factors_.resize(conditions.size());
    without_.resize(rows);
    for (std::size_t k = 0; k < conditions.size(); ++k) {
      Form outputs[2] = {out[k], plain_[k]};
      for (Form& output : outputs) output.add(-1.0, query.x, skip_);
      Vec made[2];
      space.combine(outputs, made);
      std::vector<double>& factor = factors_[k];
      factor.resize(rows);
      space.reduce(Reduction::deviation, made[0], factor);
      space.reduce(Reduction::deviation, made[1], without_);
      for (std::size_t i = 0; i < rows; ++i) {
        const double ratio = factor[i] > 0.0 ? without_[i] / factor[i] : 1.0;
        factor[i] = strength_ * ratio + 1.0 - strength_;
      }
      out[k].clear();
      out[k].add(1.0, query.x, skip_);
      out[k].add(1.0, made[0], factor);
      if (!aside.plain.empty()) aside.plain[k] = plain_[k];
      plain_[k].clear();
    }
  }

 private:
  double strength_;
  mutable std::vector<Form> plain_;
  mutable std::vector<double> skip_, without_;
  mutable std::vector<std::vector<double>> factors_;
};

struct RescaledConfig {
  double strength = 0.7;
};

class RescaledGuidance final : public NestedGuidance {
 public:
  RescaledGuidance(const RescaledConfig& config, std::span<const api::Made> parts)
      : NestedGuidance(parts), config_(config) {}

 protected:
  DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr, const GuidanceContext&) const override {
    return rescaled(std::move(inner), config_.strength);
  }

 private:
  RescaledConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&RescaledConfig::strength>(
        {.doc = "phi: 0 changes nothing, 1 gives rows the deviation they have without guidance.",
         .range = api::between(0.0, 1.0)}),
};

constexpr api::Text kText = {
    .name = "process.guidance.rescaled",
    .summary = "Guided predictions scaled back towards the deviation of unguided ones.",
    .detail =
        "Deviations are those of a row in the field's own prediction, unbiased; rows of one "
        "number have none and stay as they are. Choose the guidance as the part `inner`.",
    .source =
        "Lin et al. (2024), Common diffusion noise schedules and sample steps are flawed, "
        "section 3.4",
};

}  // namespace

DenoiserPtr rescaled(DenoiserPtr inner, double strength) {
  return std::make_shared<Rescaled>(std::move(inner), strength);
}

}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_rescaled) =
    gradatim::api::component<gradatim::process::RescaledGuidance,
                             gradatim::process::RescaledConfig>(gradatim::process::kText,
                                                                gradatim::process::kSettings,
                                                                gradatim::process::kInnerGuidance);
