// D + w sigma^2 / alpha grad ln e(x_t): the denoiser of the density times the energy to the power
// w.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/process/guidance/inner.h"

namespace gradatim::process {
namespace {

constexpr double kMostRatio = 1e4;

class Classifier final : public GuidedDenoiser {
 public:
  Classifier(DenoiserPtr inner, std::shared_ptr<const Energy> energy, double weight)
      : GuidedDenoiser(std::move(inner)), energy_(std::move(energy)), weight_(weight) {}

  void data_and_aside(Space& space, const Query& query, std::span<const ConditionPtr> conditions,
                      std::span<Form> out, const Aside& aside) const override {
    inner().data_and_aside(space, query, conditions, out, aside);
    if (weight_ == 0.0) return;
    const Query asked = reachable(space, query);
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      // The energy may ask the field again, which then reuses the factors that forms borrow.
      if (std::ranges::any_of(out[i].terms(),
                              [](const Term& term) { return !term.rows.empty(); })) {
        out[i] = Form(space.combine(out[i]));
        if (!aside.plain.empty()) aside.plain[i] = Form(space.combine(aside.plain[i]));
      }
      const Vec pull = energy_->gradient(space, asked, conditions[i], out[i]);
      out[i].add(weight_, pull, strength_);
    }
  }

 private:
  // Where no signal is left, the gradient is 0 and its factor infinite: the question is asked a
  // little nearer to the data, where the data that are expected are the same.
  Query reachable(Space& space, const Query& query) const {
    const std::size_t rows = query.t.size();
    times_.resize(rows);
    strength_.resize(rows);
    norm_.resize(rows);
    bool moved = false;
    for (std::size_t i = 0; i < rows; ++i) {
      PathPoint p = path().at(query.t[i]);
      norm_[i] = 1.0;
      if (p.ratio() > kMostRatio) {
        const PathPoint nearer = path().at(path().time_of(kMostRatio));
        norm_[i] = nearer.sigma / p.sigma;
        p = nearer;
        moved = true;
      }
      times_[i] = p.t;
      strength_[i] = p.sigma * p.sigma / p.alpha;
    }
    if (!moved) return query;
    Form scaled;
    scaled.add(1.0, query.x, norm_);
    return {space.combine(scaled), times_, query.rows};
  }

  std::shared_ptr<const Energy> energy_;
  double weight_;
  mutable std::vector<double> times_, strength_, norm_;
};

struct ClassifierConfig {
  double weight = 1.0;
};

class ClassifierGuidance final : public NestedGuidance {
 public:
  ClassifierGuidance(const ClassifierConfig& config, std::span<const api::Made> parts)
      : NestedGuidance(parts), config_(config) {}
  bool needs_energy() const override { return true; }

 protected:
  DenoiserPtr outer(DenoiserPtr inner, DenoiserPtr, const GuidanceContext& context) const override {
    return classifier(std::move(inner), context.energy, config_.weight);
  }

 private:
  ClassifierConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&ClassifierConfig::weight>({.doc = "Power of the classifier; 1 is Bayes' rule."}),
};

constexpr api::Text kText = {
    .name = "process.guidance.classifier",
    .summary = "Along the gradient of a classifier, or of any differentiable log-energy.",
    .detail = "An oracle brings its exact classifier: name the label that is wanted.",
    .source =
        "Dhariwal and Nichol (2021), Diffusion models beat GANs on image synthesis, section 4",
    .errors = "GRD-1134 there is no classifier",
};

}  // namespace

DenoiserPtr classifier(DenoiserPtr inner, std::shared_ptr<const Energy> energy, double weight) {
  GRADATIM_CHECK(energy != nullptr, UsageError, 1134,
                 "classifier guidance needs a classifier; give a label of an oracle, or an energy");
  return std::make_shared<Classifier>(std::move(inner), std::move(energy), weight);
}

}  // namespace gradatim::process

GRADATIM_EXPORT(process_guidance_classifier) = gradatim::api::component<
    gradatim::process::ClassifierGuidance, gradatim::process::ClassifierConfig>(
    gradatim::process::kText, gradatim::process::kSettings, gradatim::process::kInnerGuidance);
