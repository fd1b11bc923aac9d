// D_negative + w (D_condition - D_negative): linear, so it stays a Form.
#include <algorithm>

#include "gradatim/process/guidance/inner.h"

namespace gradatim::process {
namespace {

class ClassifierFree final : public GuidedDenoiser {
 public:
  ClassifierFree(DenoiserPtr inner, double weight, ConditionPtr negative)
      : GuidedDenoiser(std::move(inner)), weight_(weight), negative_(std::move(negative)) {}

  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override {
    const bool same = std::ranges::all_of(
        conditions, [&](const ConditionPtr& condition) { return condition == negative_; });
    if (weight_ == 1.0 || same) {
      inner().data_and_aside(space, query, conditions, out, aside);
      return;
    }
    const bool only_negative = weight_ == 0.0 && aside.plain.empty();
    const std::size_t count = only_negative ? 1 : conditions.size() + 1;
    batch_.assign(1, negative_);
    if (!only_negative) batch_.insert(batch_.end(), conditions.begin(), conditions.end());
    forms_.resize(count);
    plain_.resize(aside.plain.empty() ? 0 : count);
    variance_.resize(aside.variance.empty() ? 0 : count);
    inner().data_and_aside(space, query, batch_, forms_, {plain_, variance_});
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      out[i].clear();
      out[i].add(1.0 - weight_, forms_[0]);
      if (!only_negative) out[i].add(weight_, forms_[i + 1]);
      if (!aside.plain.empty()) aside.plain[i] = plain_[i + 1];
      if (!aside.variance.empty()) aside.variance[i] = variance_[only_negative ? 0 : i + 1];
    }
    batch_.clear();
    for (Form& form : forms_) form.clear();
    for (Form& form : plain_) form.clear();
    variance_.clear();
  }

  Vec vjp(Space& space, const Query& query, const ConditionPtr& condition,
          const Vec& w) const override {
    Form product;
    if (weight_ != 0.0) product.add(weight_, inner().vjp(space, query, condition, w));
    if (weight_ != 1.0) product.add(1.0 - weight_, inner().vjp(space, query, negative_, w));
    return space.combine(product);
  }

 private:
  double weight_;
  ConditionPtr negative_;
  mutable std::vector<ConditionPtr> batch_;
  mutable std::vector<Form> forms_, plain_;
  mutable std::vector<Vec> variance_;
};

struct ClassifierFreeConfig {
  double weight = 3.0;
};

class ClassifierFreeGuidance final : public NestedGuidance {
 public:
  ClassifierFreeGuidance(const ClassifierFreeConfig& config, std::span<const api::Made> parts)
      : NestedGuidance(parts), config_(config) {}

 protected:
  DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr, const GuidanceContext& context) const override {
    return classifier_free(std::move(inner), config_.weight, context.negative);
  }

 private:
  ClassifierFreeConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&ClassifierFreeConfig::weight>(
        {.doc = "0 is the field without the condition, 1 with it; beyond 1 the condition is "
                "stressed."}),
};

constexpr api::Text kText = {
    .name = "process.guidance.classifier_free",
    .summary = "Away from what the field predicts without the condition, or under a negative one.",
    .detail =
        "weight is 1 + w of the paper, and the guidance scale of Stable Diffusion. Both "
        "conditions are evaluated as one batch.",
    .source = "Ho and Salimans (2022), Classifier-free diffusion guidance",
};

}  // namespace

DenoiserPtr classifier_free(DenoiserPtr inner, double weight, ConditionPtr negative) {
  return std::make_shared<ClassifierFree>(std::move(inner), weight, std::move(negative));
}

}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_classifier_free) = gradatim::api::component<
    gradatim::process::ClassifierFreeGuidance, gradatim::process::ClassifierFreeConfig>(
    gradatim::process::kText, gradatim::process::kSettings, gradatim::process::kInnerGuidance);
