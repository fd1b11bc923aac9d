// AdaBoost.R2 for numeric targets (Drucker 1997). D_1 uniform; for m = 1, 2, ...:
//   fit h_m on rows weighted by D_m, or drawn by it; r_i = |y_i - h_m(x_i)| / max r
//   L_i = r, r^2 or 1 - e^{-r}; Lbar = sum D L; stop at Lbar >= 1/2
//   beta = Lbar / (1 - Lbar); D <- D beta^{1 - L}, normalised
// The prediction is the median of the members' values, weighted by ln(1/beta).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/adaboost_fit.h"
#include "gradatim/boost/ensemble/median_model.h"
#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/boost/row_choice.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

enum class ErrorShape { linear, square, exponential };
struct R2Config {
  std::int64_t n_estimators = 50;
  double learning_rate = 1.0;
  ErrorShape error = ErrorShape::linear;
  WeightMode mode = WeightMode::reweight;
  std::int64_t early_stopping_rounds = 0;
};

class R2Fit {
 public:
  R2Fit(const R2Config& config, std::shared_ptr<const Learner> learner,
        const data::FitRequest& request)
      : config_(config),
        request_(request),
        learner_(std::move(learner)),
        data_(adaboost_data(request, data::TaskHint::regression, "boost.adaboost_r2", *learner_)),
        train_(data_->train),
        distribution_(train_.rows(), train_.weight, train_.shard),
        fitter_(learner_->start({&*data_->binned, &train_.features})),
        rows_(sample_rows(train_.rows(), 1.0, 0, 0)),
        base_(weighted_mean(train_.all().label, train_.all().weight)),
        watch_(watched_metrics(request, *data_, "boost.metric.rmse"),
               data_->valid ? config.early_stopping_rounds : 0, config.n_estimators,
               request.observer) {
    if (data_->valid) valid_.emplace(*data_->valid);
    // Least squares from the base: g = base - y, h = 1.
    for (const float y : train_.label) g_.push_back(static_cast<float>(base_ - double{y}));
    h_.assign(g_.size(), 1.0F);
  }

  void run() {
    bool more = true;
    for (std::int64_t round = 0; more && round < config_.n_estimators; ++round) {
      check_interrupt();
      auto member = fit_member(static_cast<std::uint32_t>(round));
      const double loss = mean_loss(*member);
      const bool useless = loss >= 0.5;
      if (useless && round > 0) break;
      more = !useless && loss > 0.0;
      const double log_beta = more ? math::log(loss / (1.0 - loss)) : -1.0;
      add(std::move(member), more ? -config_.learning_rate * log_beta : 1.0);
      watch_.note("train.loss", loss);
      if (valid_) watch_.record("valid", valid_->metric_input());
      if (watch_.end_round(round + 1) || !more) break;
      distribution_.tilt(
          [&](std::int64_t row) { return config_.learning_rate * (1.0 - loss_[row]) * log_beta; });
    }
  }

  std::shared_ptr<const data::Model> finish(const api::Settings& settings) {
    data::ModelCard card = card_of(request_, *data_, settings);
    card.rounds = watch_.best_round();
    card.history = watch_.history();
    members_.resize(card.rounds);
    weight_.resize(card.rounds);
    EnsembleParts parts;
    const auto features = data_->binned->features();
    parts.features.assign(features.begin(), features.end());
    parts.learner = learner_;
    parts.members = std::move(members_);
    return std::make_shared<MedianModel>(std::move(card), std::move(parts), std::move(weight_),
                                         base_);
  }

 private:
  std::unique_ptr<Member> fit_member(std::uint32_t round) {
    std::vector<std::uint32_t> drawn;
    bool all = true;
    if (config_.mode == WeightMode::resample) {
      const auto hits = distribution_.draw(request_.seed, round);
      member_weight_.assign(hits.begin(), hits.end());
      all = false;
      std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(drawn),
                   [&](std::uint32_t row) { return hits[row] != 0; });
    } else {
      distribution_.weights(member_weight_);
    }
    quantise(g_, h_, member_weight_,
             {.seed = request_.seed, .draw = round, .force_wide = true, .shard = train_.shard},
             statistics_);
    fitter_->draw_by(request_.seed, round);
    const auto features = sample_features(
        static_cast<std::int32_t>(data_->binned->features().size()), learner_->colsample_bytree(),
        request_.seed, round, fitter_->feature_weights());
    const std::span<const std::uint32_t> chosen = drawn.empty() ? no_row() : drawn;
    return fitter_->fit(statistics_, all ? rows_ : chosen, features);
  }

  double mean_loss(const Member& member) {
    predict_training(member, *data_->binned, train_.features, loss_);
    double most = 0.0;
    for (std::int64_t row = 0; row < train_.rows(); ++row) {
      loss_[row] = std::abs(base_ + loss_[row] - double{train_.label[row]});
      most = std::max(most, loss_[row]);
    }
    most = dist::maximum(*train_.shard.group, most);
    if (most == 0.0) return 0.0;
    for (double& r : loss_) {
      r /= most;
      if (config_.error == ErrorShape::square) r *= r;
      if (config_.error == ErrorShape::exponential) r = 1.0 - math::exp(-r);
    }
    return distribution_.mean([&](std::int64_t row) { return loss_[row]; });
  }

  void add(std::unique_ptr<Member> member, double weight) {
    if (valid_) {
      if (data_->valid_bins) {
        predict_training(*member, *data_->valid_bins, data_->valid->features, values_);
      } else {
        predict_values(*member, data_->valid->features, values_);
      }
      for (double& value : values_) value += base_;
      valid_->add(values_, weight);
    }
    members_.push_back(std::move(member));
    weight_.push_back(weight);
  }

  const R2Config& config_;
  const data::FitRequest& request_;
  std::shared_ptr<const Learner> learner_;
  std::unique_ptr<const AdditiveData> data_;
  const LabelledRows& train_;
  RowDistribution distribution_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::uint32_t> rows_;
  double base_;
  Watch watch_;
  std::optional<MedianRows> valid_;
  std::vector<float> g_, h_, member_weight_;
  Statistics statistics_;
  std::vector<double> loss_, values_;
  Members members_;
  std::vector<double> weight_;
};

class AdaBoostR2 final : public data::Trainer {
 public:
  using Interface = data::Trainer;
  AdaBoostR2(const R2Config& config, std::span<const api::Made> parts)
      : config_(config), learner_(std::static_pointer_cast<const Learner>(parts[0])) {}

  std::shared_ptr<const data::Model> fit(const data::FitRequest& request,
                                         const api::Settings& settings) const override {
    GRADATIM_CHECK(!learner_->linear_leaves(), UsageError, 1074,
                   "AdaBoost.R2 fits trees with constant leaves; leave linear_tree out, or use "
                   "boost.newton");
    require_alike(request, settings);
    return fit_together(request, [&] {
      R2Fit fit(config_, learner_, request);
      fit.run();
      return fit.finish(settings);
    });
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    GRADATIM_CHECK(!card.classification, ModelError, 3010,
                   "{}: it predicts numbers and describes classes; it is damaged", file.source());
    EnsembleParts parts;
    parts.features = features_of(card.features);
    parts.learner = learner_;
    parts.members = learner_->load(file, parts.features);
    check_single(file, parts.members);
    learner_->check_classes(file, parts.members, 0);
    auto weight = file.read<double>("weight");
    const auto base = file.read<double>("base_score", 1);
    GRADATIM_CHECK(weight.size() == parts.members.size() && !weight.empty() &&
                       card.rounds == static_cast<std::int64_t>(weight.size()),
                   ModelError, 3010, "{}: it has {} members and {} weights; it is damaged",
                   file.source(), parts.members.size(), weight.size());
    check_finite(file, weight);
    check_finite(file, base);
    return std::make_shared<MedianModel>(card, std::move(parts), std::move(weight), base[0]);
  }

 private:
  R2Config config_;
  std::shared_ptr<const Learner> learner_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&R2Config::n_estimators>(
        {.doc = "Rounds at most; a perfect member or a mean loss of 1/2 stops the fit.",
         .range = api::between(1, 1000000),
         .unit = "rounds"}),
    api::setting<&R2Config::learning_rate>(
        {.doc = "Exponent on every beta; 1 is the paper.", .range = api::above(0.0)}),
    api::setting<&R2Config::error>(
        {.doc = "How a row's relative error r counts: r, r^2 or 1 - e^-r."}),
    api::setting<&R2Config::mode>(
        {.doc =
             "reweight gives the learner the weights D_m; resample, as in the paper, gives it rows "
             "drawn by D_m with replacement."}),
    api::setting<&R2Config::early_stopping_rounds>(
        {.doc = "Stop when the first metric on the validation rows has not improved for so many "
                "rounds, and keep the best round; 0 never stops.",
         .range = api::at_least(0),
         .unit = "rounds"}),
};

constexpr api::Part kParts[] = {
    {"learner", "boost.learner", "boost.learner.cart", "The weak learner."},
};

constexpr api::Text kText = {
    .name = "boost.adaboost_r2",
    .summary = "Adaptive boosting for numeric targets; predicts a weighted median.",
    .source = "Drucker (1997), Improving regressors using boosting techniques",
    .shape = "features: [rows, columns]; target: [rows]",
    .errors = "GRD-2021 a target is missing",
    .tags = "regressor python:AdaBoost",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_ensemble_adaboost_r2) =
    gradatim::api::component<gradatim::boost::AdaBoostR2, gradatim::boost::R2Config>(
        gradatim::boost::kText, gradatim::boost::kSettings, gradatim::boost::kParts);
