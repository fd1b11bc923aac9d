// AdaBoost.R2 for numeric targets (Drucker 1997). D_1 uniform; for m = 1, 2, ...:
//   fit h_m on rows weighted by D_m, or drawn by it; r_i = |y_i - h_m(x_i)| / max r
//   L_i = r, r^2 or 1 - e^{-r}; Lbar = sum D L; stop at Lbar >= 1/2
//   beta = Lbar / (1 - Lbar); D <- D beta^{1 - L}, normalised
// The prediction is the median of the members' values, weighted by ln(1/beta).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/ensemble/adaboost_fit.h"
#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/ensemble/row_distribution.h"
#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

enum class ErrorShape { linear, square, exponential };
struct R2Config {
  std::int64_t n_estimators = 50;
  double learning_rate = 1.0;
  ErrorShape error = ErrorShape::linear;
  WeightMode mode = WeightMode::reweight;
};

// The weighted median of the members' predictions: the state of a row is all of them.
class MedianModel final : public EnsembleModel {
 public:
  MedianModel(data::ModelCard card, EnsembleParts parts, std::vector<double> weight, double base)
      : EnsembleModel(std::move(card), std::move(parts)), weight_(std::move(weight)), base_(base) {}

  int state_columns() const override { return static_cast<int>(weight_.size()); }
  int prediction_columns(data::PredictKind /*kind*/) const override { return 1; }
  void start(std::int64_t rows, double* state) const override {
    std::fill_n(state, rows * state_columns(), base_);
  }
  void accumulate(const RowBlock& rows, std::int64_t round, double* state) const override {
    std::vector<double> values(rows.rows);
    parts().members[round]->predict(rows, values.data());
    for (std::int64_t i = 0; i < rows.rows; ++i) state[i * state_columns() + round] += values[i];
  }
  void accumulate_trees(const TreeRows& rows, std::int64_t first, std::int64_t last,
                        double* state) const override {
    for (std::int64_t round = first; round < last; ++round) {
      rows.trees.add(rows.strip, round, round + 1, 1, state + round * kStrip, rows.scratch);
    }
  }
  void accumulate_row(const Forest& trees, const double* features, std::int64_t first,
                      std::int64_t last, double* state) const override {
    trees.each_of_row(features, first, last,
                      [&](std::int64_t round, const auto* value) { state[round] += *value; });
  }
  void finish(const double* state, std::int64_t rows, std::int64_t rounds,
              data::PredictKind /*kind*/, double* out) const override {
    std::vector<std::pair<double, double>> votes(rounds);
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t m = 0; m < rounds; ++m) {
        votes[m] = {state[i * state_columns() + m], weight_[m]};
      }
      out[i] = lower_median(votes);
    }
  }
  void store_more(SafetensorsWriter& file) const override {
    file.add("weight", std::span<const double>(weight_));
    file.add("base_score", std::span<const double>(&base_, 1));
  }

 private:
  // The first value at which half of the weight is reached: always some member's own value.
  static double lower_median(std::vector<std::pair<double, double>>& votes) {
    std::sort(votes.begin(), votes.end());
    double total = 0.0;
    for (const auto& vote : votes) total += vote.second;
    double below = 0.0;
    for (const auto& vote : votes) {
      below += vote.second;
      if (below >= 0.5 * total) return vote.first;
    }
    return votes.back().first;
  }

  std::vector<double> weight_;
  double base_;
};

TrainingData prepare_numbers(const data::FitRequest& request) {
  GRADATIM_CHECK(request.base_margin.empty() && !request.valid && request.valid_fraction == 0.0,
                 UsageError, 1021,
                 "AdaBoost.R2 has no scores to start from and watches no validation rows; leave "
                 "them out or use boost.newton");
  require_one_target(request, "boost.adaboost_r2");
  return prepare(request, data::TaskHint::regression);
}

class R2Fit {
 public:
  R2Fit(const R2Config& config, const Learner& learner, const data::FitRequest& request)
      : config_(config),
        request_(request),
        data_(prepare_numbers(request)),
        binned_(data_.train.features, data_.train.weight,
                seeded(learner.bin_options(data_.train.rows()), request.seed)),
        distribution_(data_.train.rows(), data_.train.weight),
        fitter_(learner.start({&binned_, &data_.train.features})),
        features_(sample_features(static_cast<std::int32_t>(binned_.features().size()), 1.0, 0, 0)),
        base_(weighted_mean(data_.train.label, data_.train.weight)) {
    data_.train.features =
        data::align(data_.train.features, schema_of(data_.train.features, binned_.features()));
    // Least squares from the base: g = base - y, h = 1.
    for (const float y : data_.train.label) g_.push_back(static_cast<float>(base_ - double{y}));
    h_.assign(g_.size(), 1.0F);
  }

  void run() {
    for (std::int64_t round = 0; round < config_.n_estimators; ++round) {
      check_interrupt();
      auto member = fit_member(static_cast<std::uint32_t>(round));
      const double loss = mean_loss(*member);
      const bool useless = loss >= 0.5;
      if (useless && round > 0) break;
      members_.push_back(std::move(member));
      if (useless || loss <= 0.0) {
        weight_.push_back(1.0);
        break;
      }
      const double log_beta = math::log(loss / (1.0 - loss));
      weight_.push_back(-config_.learning_rate * log_beta);
      distribution_.tilt(
          [&](std::int64_t row) { return config_.learning_rate * (1.0 - loss_[row]) * log_beta; });
      if (request_.observer != nullptr) {
        StepDone event;
        event.step = round + 1;
        event.steps = config_.n_estimators;
        event.metrics = {{"train.loss", loss}};
        request_.observer->on_step(event);
      }
    }
  }

  std::shared_ptr<const data::Model> finish(const api::Settings& settings,
                                            std::shared_ptr<const Learner> learner) {
    data::ModelCard card;
    card.settings = settings;
    card.features = schema_of(data_.train.features, binned_.features());
    card.target = request_.target;
    card.notes = request_.notes;
    card.rounds = static_cast<std::int64_t>(members_.size());
    EnsembleParts parts;
    parts.features.assign(binned_.features().begin(), binned_.features().end());
    parts.learner = std::move(learner);
    parts.members = std::move(members_);
    return std::make_shared<MedianModel>(std::move(card), std::move(parts), std::move(weight_),
                                         base_);
  }

 private:
  std::unique_ptr<Member> fit_member(std::uint32_t round) {
    std::vector<float> weight = distribution_.weights();
    std::vector<std::uint32_t> rows = sample_rows(data_.train.rows(), 1.0, 0, 0);
    if (config_.mode == WeightMode::resample) {
      const auto hits = distribution_.draw(request_.seed, round);
      weight.assign(hits.begin(), hits.end());
      std::erase_if(rows, [&](std::uint32_t row) { return hits[row] == 0; });
    }
    quantise(g_, h_, weight, {.seed = request_.seed, .draw = round, .force_wide = true},
             statistics_);
    fitter_->draw_by(request_.seed, round);
    return fitter_->fit(statistics_, rows, features_);
  }

  double mean_loss(const Member& member) {
    const std::int64_t rows = data_.train.rows();
    predict_training(member, binned_, data_.train.features, loss_);
    double most = 0.0;
    for (std::int64_t row = 0; row < rows; ++row) {
      loss_[row] = std::abs(base_ + loss_[row] - double{data_.train.label[row]});
      most = std::max(most, loss_[row]);
    }
    if (most == 0.0) return 0.0;
    for (double& r : loss_) {
      r /= most;
      if (config_.error == ErrorShape::square) r *= r;
      if (config_.error == ErrorShape::exponential) r = 1.0 - math::exp(-r);
    }
    return distribution_.mean([&](std::int64_t row) { return loss_[row]; });
  }

  const R2Config& config_;
  const data::FitRequest& request_;
  TrainingData data_;
  BinnedData binned_;
  RowDistribution distribution_;
  std::unique_ptr<Fitter> fitter_;
  std::vector<std::int32_t> features_;
  double base_;
  std::vector<float> g_, h_;
  Statistics statistics_;
  std::vector<double> loss_;
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
    R2Fit fit(config_, *learner_, request);
    fit.run();
    return fit.finish(settings, learner_);
  }
  std::shared_ptr<const data::Model> load(const SafetensorsFile& file,
                                          const data::ModelCard& card) const override {
    GRADATIM_CHECK(!card.classification, ModelError, 3010,
                   "{}: it predicts numbers and describes classes; it is damaged", file.source());
    EnsembleParts parts;
    parts.features = features_of(card.features);
    parts.learner = learner_;
    parts.members = learner_->load(file, parts.features);
    learner_->check_classes(file, parts.members, 0);
    check_one_output(file, parts.members);
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
