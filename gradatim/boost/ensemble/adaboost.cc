// AdaBoost. D_1 uniform; for m = 1, 2, ...:
//   fit h_m on rows weighted by D_m (reweight) or drawn by D_m (resample)
//   e_m = sum D_m [h_m(x) != y]; stop at e_m >= 1 - 1/K (a first member
//     stays even so, with alpha_1 = 1, since an empty vote predicts nothing)
//   alpha_m = 1/2 (ln((1 - e_m)/e_m) + ln(K - 1)), times the learning rate
//   D_{m+1} proportional to D_m exp(-alpha_m) where h_m is right and D_m exp(alpha_m) where wrong
// For two classes this is Freund and Schapire's algorithm to the letter; for K it is SAMME, with
// half its alpha, which votes the same.
#include <fmt/format.h>

#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/adaboost_fit.h"
#include "gradatim/boost/ensemble/vote_model.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

class AdaBoost final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  AdaBoost(const AdaBoostConfig& config, std::span<const api::Made> parts)
      : config_(config), learner_(std::static_pointer_cast<const Learner>(parts[0])) {}

  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return AdaBoostFit(config_, learner_, request).run(settings);
  }

  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    GRADATIM_CHECK(card.classification, ModelError, 3010,
                   "{}: it votes and describes no classes; it is damaged", file.source());
    EnsembleParts parts;
    parts.task = {TaskKind::classification, card.classes};
    parts.features = features_of(card.features);
    parts.learner = learner_;
    parts.members = learner_->load(file, parts.features);
    auto alpha = file.read<double>("alpha");
    GRADATIM_CHECK(alpha.size() == parts.members.size() && !alpha.empty() &&
                       card.rounds == static_cast<std::int64_t>(alpha.size()),
                   ModelError, 3010, "{}: it has {} members and {} votes; it is damaged",
                   file.source(), parts.members.size(), alpha.size());
    check_finite(file, alpha);
    learner_->check_classes(file, parts.members, static_cast<int>(card.classes.size()));
    check_one_output(file, parts.members);
    return std::make_shared<VoteModel>(card, std::move(parts), std::move(alpha));
  }

 private:
  AdaBoostConfig config_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&AdaBoostConfig::n_estimators>(
        {.doc = "Rounds at most; a perfect member or one no better than chance stops the fit.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&AdaBoostConfig::learning_rate>(
        {.doc = "Factor on every alpha; 1 is the textbook.", .range = api::above(0.0)}),
    api::setting<&AdaBoostConfig::mode>(
        {.doc =
             "reweight gives the weak learner the weights D_m; resample gives it rows drawn by D_m "
             "with replacement."}),
    api::setting<&AdaBoostConfig::max_redraws>(
        {.doc = "Further draws where one holds a single class.", .range = api::between(0, 1000)}),
};

constexpr api::Part kParts[] = {
    {"learner", "boost.learner", "boost.learner.stump", "The weak learner."},
};

constexpr api::Text kText = {
    .name = "boost.adaboost",
    .aliases = "boost.samme",
    .summary = "Adaptive boosting of weak classifiers, for two classes or more.",
    .detail =
        "Its history holds the training error after each round and, for two classes, the bound "
        "on it.",
    .source =
        "Freund and Schapire (1997), A decision-theoretic generalization of on-line learning; "
        "Zhu, Zou, Rosset and Hastie (2009), Multi-class AdaBoost",
    .shape = "features: [rows, columns]; target: classes [rows]",
    .errors = "GRD-2022 the target has one class; GRD-2029 every draw held a single class",
    .tags = "classifier python:AdaBoost",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_adaboost) =
    gradatim::api::component<gradatim::boost::AdaBoost, gradatim::boost::AdaBoostConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
