// AdaBoost: members are fitted to weighted rows, and rows that the committee gets wrong weigh more
// in the next round. How members are added, and what the weights are, is the algorithm's
// (algorithm/).
#include <fmt/format.h>

#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/adaboost_fit.h"
#include "gradatim/core/error.h"

namespace gradatim::boost {
namespace {

class AdaBoost final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  AdaBoost(const AdaBoostConfig& config, std::span<const api::Made> parts)
      : config_(config),
        algorithm_(std::static_pointer_cast<const Algorithm>(parts[0])),
        learner_(std::static_pointer_cast<const Learner>(parts[1])) {}

  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    GRADATIM_CHECK(!learner_->linear_leaves(), UsageError, 1074,
                   "AdaBoost fits trees with constant leaves; leave linear_tree out, or use "
                   "boost.newton");
    return fit_adaboost(config_, *algorithm_, learner_, request, settings);
  }

  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    GRADATIM_CHECK(card.classification, ModelError, 3010,
                   "{}: it votes and describes no classes; it is damaged", file.source());
    EnsembleParts parts;
    parts.task = {TaskKind::classification, card.classes};
    parts.features = features_of(card.features);
    parts.learner = learner_;
    return algorithm_->load(file, card, std::move(parts));
  }

 private:
  AdaBoostConfig config_;
  std::shared_ptr<const Algorithm> algorithm_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&AdaBoostConfig::n_estimators>(
        {.doc = "Rounds at most; early stopping, or with samme a perfect member or one no better "
                "than chance, may end the fit before.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&AdaBoostConfig::learning_rate>(
        {.doc = "Factor on every alpha, or on every member's scores; 1 is the textbook.",
         .range = api::above(0.0)}),
    api::setting<&AdaBoostConfig::mode>(
        {.doc =
             "reweight gives the weak learner the weights D_m; resample gives it rows drawn by D_m "
             "with replacement, with algorithm samme."}),
    api::setting<&AdaBoostConfig::max_redraws>(
        {.doc = "Further draws where one holds a single class.", .range = api::between(0, 1000)}),
    api::setting<&AdaBoostConfig::early_stopping_rounds>(
        {.doc = "Stop when the first metric on the validation rows has not improved for so many "
                "rounds, and keep the best round; 0 never stops.",
         .range = api::at_least(0),
         .unit = "rounds"}),
};

constexpr api::Part kParts[] = {
    {"algorithm", "boost.algorithm", "boost.algorithm.samme",
     "How members are added and rows weighed."},
    {"learner", "boost.learner", "boost.learner.stump", "The weak learner."},
};

constexpr api::Text kText = {
    .name = "boost.adaboost",
    .aliases = "boost.samme",
    .summary = "Adaptive boosting of weak classifiers, for two classes or more.",
    .detail =
        "Its history holds the training error after each round, and with it the bound on it "
        "(samme, two classes) or the loss that the algorithm lowers.",
    .source =
        "Freund and Schapire (1997), A decision-theoretic generalization of on-line learning; "
        "Friedman, Hastie and Tibshirani (2000), Additive logistic regression; "
        "Zhu, Zou, Rosset and Hastie (2009), Multi-class AdaBoost",
    .shape = "features: [rows, columns]; target: classes [rows]",
    .errors =
        "GRD-2022 the target has one class; GRD-2029 every draw held a single class; "
        "GRD-1060 the algorithm needs leaves and the learner has none; GRD-1061 the "
        "algorithm does not resample",
    .tags = "classifier python:AdaBoost",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_adaboost) =
    gradatim::api::component<gradatim::boost::AdaBoost, gradatim::boost::AdaBoostConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
