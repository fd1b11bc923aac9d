// Gradient boosting (GBDT): each member is fitted to the negative gradients by least squares, then
// every leaf takes its own optimal step, and the step is shrunk.
#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/additive_fit.h"
#include "gradatim/boost/ensemble/held_out_fit.h"

namespace gradatim::boost {
namespace {

struct GradientConfig {
  std::int64_t n_estimators = 100;
  double learning_rate = 0.1;
  double subsample = 1.0;
  SamplingMethod sampling_method = SamplingMethod::uniform;
  double top_rate = 0.2;
  double other_rate = 0.1;
  double mvs_lambda = 0.1;
  ClassWeight class_weight = ClassWeight::none;
  double scale_pos_weight = 1.0;
  std::int64_t early_stopping_rounds = 0;
  double max_seconds = 0.0;
  bool evaluate_train = false;
  MultiStrategy multi_strategy = MultiStrategy::one_output_per_tree;
  std::int32_t sketch_outputs = -1;
  SketchMethod sketch_method = SketchMethod::random_projection;
  TargetStatisticsMode target_statistics = TargetStatisticsMode::columns;
  std::int32_t high_cardinality = 256;
  double target_prior_weight = 1.0;
};

class GradientBoosting final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  GradientBoosting(const GradientConfig& c, std::span<const api::Made> parts)
      : config_{.n_estimators = c.n_estimators,
                .learning_rate = c.learning_rate,
                .sampling = {.method = c.sampling_method,
                             .subsample = c.subsample,
                             .top_rate = c.top_rate,
                             .other_rate = c.other_rate,
                             .mvs_lambda = c.mvs_lambda},
                .balance = {.class_weight = c.class_weight, .scale_pos_weight = c.scale_pos_weight},
                .early_stopping_rounds = c.early_stopping_rounds,
                .max_seconds = c.max_seconds,
                .statistics = {.mode = c.target_statistics,
                               .high_cardinality = c.high_cardinality,
                               .prior_weight = c.target_prior_weight},
                .evaluate_train = c.evaluate_train,
                .vector_leaves = c.multi_strategy == MultiStrategy::multi_output_tree,
                .sketch = {.outputs = c.sketch_outputs, .method = c.sketch_method},
                .first_order = true},
        loss_(std::static_pointer_cast<const Loss>(parts[0])),
        learner_(std::static_pointer_cast<const Learner>(parts[1])) {
    check(config_.sampling);
  }

  bool continues() const override { return true; }
  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    return fit_additive(config_, loss_, learner_, request, settings);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    return load_additive(file, card, loss_, learner_);
  }
  std::shared_ptr<const data::PreparedData> prepare(
      const data::FitRequest& request) const override {
    return prepare_additive(loss_.get(), *learner_, request);
  }
  std::unique_ptr<data::SteppedFit> start(std::shared_ptr<const data::PreparedData> data,
                                          const data::FitRequest& request,
                                          std::vector<std::uint8_t> held_out) const override {
    return start_additive(config_, loss_, learner_, std::move(data), request, std::move(held_out));
  }

 private:
  AdditiveConfig config_;
  std::shared_ptr<const Loss> loss_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&GradientConfig::n_estimators>(
        {.doc = "Rounds at most; early stopping may use fewer.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&GradientConfig::learning_rate>(
        {.doc = "Shrinkage: the factor on every member's values.",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&GradientConfig::subsample>(
        {.doc = "Share of the rows that each round sees (stochastic gradient boosting).",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&GradientConfig::sampling_method>(
        {.doc = "uniform draws rows by subsample alone; goss keeps the largest gradients and a "
                "share of the others; gradient_based draws rows in proportion to their gradients, "
                "subsample of all. The latter two weigh rows so that sums stay unbiased."}),
    api::setting<&GradientConfig::top_rate>(
        {.doc = "goss: share of the rows, those with the largest gradients, that is kept.",
         .range = api::from_below(0.0, 1.0)}),
    api::setting<&GradientConfig::other_rate>(
        {.doc = "goss: share of all rows that is drawn from the others.",
         .range = api::above_to(0.0, 1.0)}),
    api::setting<&GradientConfig::mvs_lambda>(
        {.doc = "gradient_based: how much hessians count besides gradients.",
         .range = api::at_least(0.0)}),
    api::setting<&GradientConfig::class_weight>(
        {.doc = "balanced gives all classes the same total weight, beside the rows' own."}),
    api::setting<&GradientConfig::scale_pos_weight>(
        {.doc = "Factor on the weights of the second of two classes.", .range = api::above(0.0)}),
    api::setting<&GradientConfig::early_stopping_rounds>(
        {.doc = "Stop when the first metric on the validation rows has not improved for so many "
                "rounds, and keep the best round; 0 never stops.",
         .range = api::at_least(0),
         .unit = "rounds"}),
    api::setting<&GradientConfig::max_seconds>(
        {.doc =
             "Stop after the round that takes the fit beyond this time, and keep the model, which "
             "then depends on the machine; 0 has no limit.",
         .range = api::at_least(0.0),
         .unit = "seconds"}),
    api::setting<&GradientConfig::evaluate_train>(
        {.doc = "Record the metrics on the training rows too."}),
    api::setting<&GradientConfig::multi_strategy>(
        {.doc = "With several classes or targets: one_output_per_tree grows a tree for each in "
                "every round; multi_output_tree grows one whose leaves hold a value for each."}),
    api::setting<&GradientConfig::sketch_outputs>(
        {.doc = "multi_output_tree: search splits on so many combinations of the outputs; leaves "
                "keep a value for each. 0 searches all outputs, of which 64 are allowed; -1 is 0 "
                "up to 64 outputs and 16 beyond.",
         .range = api::between(-1, 64)}),
    api::setting<&GradientConfig::sketch_method>(
        {.doc = "random_projection adds all outputs with random signs; top_outputs takes those "
                "with the largest gradients; random_sampling draws outputs in proportion to their "
                "squared gradients."}),
    api::setting<&GradientConfig::target_statistics>(
        {.doc =
             "Ordered target statistics as further features: columns takes them over categorical "
             "columns of high cardinality; combinations also over two and three columns, "
             "categories or whole numbers, whose values say more together than apart. Kept are "
             "those that explain a part of the target in rows that they have not seen."}),
    api::setting<&GradientConfig::high_cardinality>(
        {.doc = "From so many categories on, a column has a target statistic of its own.",
         .range = api::at_least(2)}),
    api::setting<&GradientConfig::target_prior_weight>(
        {.doc = "Weight of the target's mean in the target statistic of a category, in rows.",
         .range = api::above(0.0)}),
};

constexpr api::Part kParts[] = {
    {"loss", "boost.loss", "auto",
     "What is minimised; auto is squared for numbers, logistic for two classes, softmax for more."},
    {"learner", "boost.learner", "boost.learner.cart", "What each round adds."},
};

constexpr api::Text kText = {
    .name = "boost.gradient",
    .aliases = "boost.gbdt boost.gbm boost.gbrt boost.mart",
    .summary = "Gradient boosting: regression trees on negative gradients, with optimal leaves.",
    .detail =
        "Leaves take a Newton step, or the exact optimum where the loss has one (absolute, "
        "Huber).",
    .source =
        "Friedman (2001), Greedy function approximation: a gradient boosting machine; Friedman "
        "(2002), Stochastic gradient boosting; Ke and others (2017), LightGBM (goss); "
        "Ibragimov and Gusev (2019), Minimal variance sampling in stochastic gradient boosting; "
        "Prokhorenkova and others (2018), CatBoost (target statistics)",
    .shape = "features: [rows, columns]; target: [rows] or [rows, targets]",
    .errors =
        "GRD-2050 a column has the name of a target statistic; GRD-1027 a target is named twice, "
        "or classes are wanted of several; GRD-2020 the target "
        "does not suit the loss; GRD-2021 a target is missing; GRD-2022 the "
        "target has one class; GRD-1033 weights of classes for another target; GRD-4001 a gradient "
        "is not finite; GRD-4002 the fit diverges",
    .tags = "classifier regressor python:GradientBoosting",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_gradient) =
    gradatim::api::component<gradatim::boost::GradientBoosting, gradatim::boost::GradientConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
