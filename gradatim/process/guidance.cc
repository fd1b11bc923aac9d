#include "gradatim/process/guidance.h"

#include <fmt/format.h>

#include <optional>

#include "gradatim/core/error.h"

namespace gradatim::process {
namespace {

class DenoisedEnergy final : public Energy {
 public:
  DenoisedEnergy(DenoiserPtr denoiser, std::shared_ptr<const DataEnergy> energy)
      : denoiser_(std::move(denoiser)), energy_(std::move(energy)) {}

  Vec gradient(Space& space, const Query& query, const ConditionPtr& condition,
               const Form& data) const override {
    const Vec pull = energy_->gradient(space, space.combine(data), query.rows);
    return denoiser_->vjp(space, query, condition, pull);
  }

 private:
  DenoiserPtr denoiser_;
  std::shared_ptr<const DataEnergy> energy_;
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
