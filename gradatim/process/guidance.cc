#include "gradatim/process/guidance.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

class DenoisedEnergy final : public Energy {
 public:
  DenoisedEnergy(DenoiserPtr denoiser, std::shared_ptr<const DataEnergy> energy,
                 std::optional<double> tolerance = {})
      : denoiser_(std::move(denoiser)), energy_(std::move(energy)), tolerance_(tolerance) {}

  Vec gradient(Space& space, const Query& query, const ConditionPtr& condition,
               const Form& data) const override {
    Vec pull = energy_->gradient(space, space.combine(data), query.rows);
    if (tolerance_) pull = weakened(space, query, pull);
    return denoiser_->vjp(space, query, condition, pull);
  }

 private:
  Vec weakened(Space& space, const Query& query, const Vec& pull) const {
    std::vector<double> factors;
    for (const double t : query.t) {
      const PathPoint p = denoiser_->path().at(t);
      const double size = std::hypot(p.alpha, p.sigma);
      factors.push_back(1.0 / (*tolerance_ * *tolerance_ + p.sigma * p.sigma / (size * size)));
    }
    Form form;
    form.add(1.0, pull, factors);
    return space.combine(form);
  }

  DenoiserPtr denoiser_;
  std::shared_ptr<const DataEnergy> energy_;
  std::optional<double> tolerance_;
};

class MixtureClassifier final : public Energy {
 public:
  MixtureClassifier(Mixture mixture, std::shared_ptr<const Path> path,
                    std::shared_ptr<const Labels> labels)
      : mixture_(std::move(mixture)), path_(std::move(path)), labels_(std::move(labels)) {}

  Vec gradient(Space& space, const Query& query, const ConditionPtr&, const Form&) const override {
    const auto dims = static_cast<std::size_t>(mixture_.dims);
    std::vector<double> x(query.t.size() * dims), result(x.size());
    space.copy_out(query.x, x);
    Marginal::Scratch scratch;
    std::optional<Marginal> marginal;
    for (std::size_t row = 0; row < query.t.size(); ++row) {
      if (!marginal || marginal->point().t != query.t[row]) {
        marginal.emplace(mixture_, path_->at(query.t[row]));
      }
      marginal->classifier(x.data() + row * dims, labels_->of(query.rows[row]),
                           result.data() + row * dims, scratch);
    }
    return space.from(result, query.x.rows(), mixture_.dims);
  }

 private:
  Mixture mixture_;
  std::shared_ptr<const Path> path_;
  std::shared_ptr<const Labels> labels_;
};

}  // namespace

std::shared_ptr<const Energy> of_data(std::shared_ptr<const Denoiser> denoiser,
                                      std::shared_ptr<const DataEnergy> energy) {
  return std::make_shared<DenoisedEnergy>(std::move(denoiser), std::move(energy));
}

std::shared_ptr<const Energy> of_guess(std::shared_ptr<const Denoiser> denoiser,
                                       std::shared_ptr<const DataEnergy> energy, double tolerance) {
  return std::make_shared<DenoisedEnergy>(std::move(denoiser), std::move(energy), tolerance);
}

std::shared_ptr<const Energy> exact_classifier(Mixture mixture, std::shared_ptr<const Path> path,
                                               std::shared_ptr<const Labels> labels) {
  return std::make_shared<MixtureClassifier>(std::move(mixture), std::move(path),
                                             std::move(labels));
}

Vec GuidedDenoiser::vjp(Space&, const Query&, const ConditionPtr&, const Vec&) const {
  throw UsageError(1131,
                   "this guidance has no derivative with respect to the state; leave it out, or "
                   "take classifier_free");
}

}  // namespace gradatim::process
