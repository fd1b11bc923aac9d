// Newton boosting (XGBoost): members minimise the second-order expansion of the loss at the current
// scores, sum g w + h w^2 / 2, plus their own regularisation.
#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/additive_fit.h"

namespace gradatim::boost {
namespace {

enum class Precision { coarse, high };

struct NewtonConfig {
  std::int64_t n_estimators = 100;
  double learning_rate = 0.3;
  double subsample = 1.0;
  std::int64_t early_stopping_rounds = 0;
  bool evaluate_train = false;
  MultiStrategy multi_strategy = MultiStrategy::one_output_per_tree;
  Precision precision = Precision::coarse;
};

class NewtonBoosting final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  NewtonBoosting(const NewtonConfig& c, std::span<const api::Made> parts)
      : config_{.n_estimators = c.n_estimators,
                .learning_rate = c.learning_rate,
                .subsample = c.subsample,
                .early_stopping_rounds = c.early_stopping_rounds,
                .evaluate_train = c.evaluate_train,
                .vector_leaves = c.multi_strategy == MultiStrategy::multi_output_tree,
                .high_precision = c.precision == Precision::high},
        loss_(std::static_pointer_cast<const Loss>(parts[0])),
        learner_(std::static_pointer_cast<const Learner>(parts[1])) {}

  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return fit_additive(config_, loss_, learner_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return load_additive(file, card, loss_, learner_);
  }

 private:
  AdditiveConfig config_;
  std::shared_ptr<const Loss> loss_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&NewtonConfig::n_estimators>(
        {.doc = "Rounds at most; early stopping may use fewer.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&NewtonConfig::learning_rate>({.doc = "Factor on every member's values.",
                                                .range = api::above_to(0.0, 1.0),
                                                .alias = "eta"}),
    api::setting<&NewtonConfig::subsample>(
        {.doc = "Share of the rows that each round sees, drawn by (seed, round, row).",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&NewtonConfig::early_stopping_rounds>(
        {.doc = "Stop when the first metric on the validation rows has not improved for so many "
                "rounds, and keep the best round; 0 never stops.",
         .range = api::at_least(0),
         .unit = "rounds"}),
    api::setting<&NewtonConfig::evaluate_train>(
        {.doc = "Record the metrics on the training rows too."}),
    api::setting<&NewtonConfig::multi_strategy>(
        {.doc = "With several classes or targets: one_output_per_tree grows a tree for each in "
                "every round; multi_output_tree grows one whose leaves hold a value for each, which "
                "is several times faster."}),
    api::setting<&NewtonConfig::precision>(
        {.doc =
             "coarse ranks splits by gradients rounded to 8 to 14 bits above 65,536 rows (leaves "
             "are always exact); high uses 31 bits throughout and is slower."}),
};

constexpr api::Part kParts[] = {
    {"loss", "boost.loss", "auto",
     "What is minimised; auto is squared for numbers, logistic for two classes, softmax for more."},
    {"learner", "boost.learner", "boost.learner.tree", "What each round adds."},
};

constexpr api::Text kText = {
    .name = "boost.newton",
    .aliases = "boost.xgboost",
    .summary = "Second-order gradient boosting with regularised members.",
    .detail =
        "The model is the same to the last bit for any number of threads, with AVX-512, AVX2 or "
        "neither.",
    .source = "Chen and Guestrin (2016), XGBoost: a scalable tree boosting system",
    .shape = "features: [rows, columns]; target: [rows] or [rows, targets]",
    .errors =
        "GRD-1027 a target is named twice, or classes are wanted of several; GRD-2020 the target "
        "does not suit the loss; GRD-2021 a target is missing; GRD-2022 the "
        "target has one class; GRD-4001 a gradient is not finite; GRD-4002 the fit diverges",
    .tags = "classifier regressor python:NewtonBoosting",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_newton) =
    gradatim::api::component<gradatim::boost::NewtonBoosting, gradatim::boost::NewtonConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
