#include "gradatim/boost/ensemble/adaboost_fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/vote_model.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

TrainingData prepare_classes(const data::FitRequest& request) {
  GRADATIM_CHECK(request.base_margin.empty(), UsageError, 1021,
                 "AdaBoost has no scores to start from; leave the base margin out or use "
                 "boost.newton");
  require_one_target(request, "boost.adaboost");
  return prepare(request, data::TaskHint::classification);
}

std::vector<std::shared_ptr<const Metric>> watched(const data::FitRequest& request,
                                                   const TrainingData& data) {
  if (!data.valid) return {};
  auto names = request.metrics;
  if (names.empty() && request.own_metrics.empty()) names.emplace_back("boost.metric.accuracy");
  return find_metrics(names, {data.task, data.task.class_count()}, request.own_metrics);
}

}  // namespace

void VotedRows::add(std::span<const double> voted, double alpha) {
  for (std::size_t row = 0; row < voted.size(); ++row) {
    votes_[row * classes_ + static_cast<std::size_t>(voted[row])] += alpha;
  }
}

double VotedRows::error() const {
  ExactSum wrong;
  ExactSum total;
  for (std::int64_t row = 0; row < rows_.rows(); ++row) {
    const double* votes = votes_.data() + row * classes_;
    const auto best = std::max_element(votes, votes + classes_) - votes;
    const double weight = rows_.weight.empty() ? 1.0 : double{rows_.weight[row]};
    total.add(weight);
    if (static_cast<float>(best) != rows_.label[row]) wrong.add(weight);
  }
  return wrong.value() / total.value();
}

MetricInput VotedRows::metric_input() {
  probabilities_ = votes_;
  votes_to_probabilities(probabilities_, classes_);
  return {rows_.label, probabilities_, classes_, rows_.weight};
}

AdaBoostFit::AdaBoostFit(const AdaBoostConfig& config, std::shared_ptr<const Learner> learner,
                         const data::FitRequest& request)
    : config_(config),
      learner_(std::move(learner)),
      request_(request),
      data_(prepare_classes(request)),
      binned_(data_.train.features, data_.train.weight,
              seeded(learner_->bin_options(data_.train.rows()), request.seed)),
      distribution_(data_.train.rows(), data_.train.weight),
      features_(sample_features(static_cast<std::int32_t>(binned_.features().size()), 1.0, 0, 0)),
      rows_(sample_rows(data_.train.rows(), 1.0, 0, 0)),
      train_votes_(data_.train, data_.task.class_count()),
      watch_(watched(request, data_), 0, config.n_estimators, request.observer),
      wrong_(data_.train.rows()) {
  const data::Schema schema = schema_of(data_.train.features, binned_.features());
  data_.train.features = data::align(data_.train.features, schema);
  if (data_.valid) {
    data_.valid->features = data::align(data_.valid->features, schema);
    valid_votes_.emplace(*data_.valid, data_.task.class_count());
  }
  fitter_ = learner_->start({&binned_, &data_.train.features});
  statistics_.classes = data_.task.class_count();
  statistics_.label.assign(data_.train.label.begin(), data_.train.label.end());
}

// Rounds until one of the rules stops.
std::shared_ptr<const data::Model> AdaBoostFit::run(const api::Settings& settings) {
  const double classes = statistics_.classes;
  for (std::int64_t round = 0; round < config_.n_estimators; ++round) {
    check_interrupt();
    auto member = fit_member(round);
    if (!member) break;  // every draw had one class
    const double error = mark_wrong(*member);
    const bool useless = error >= 1.0 - 1.0 / classes;
    if (useless && round > 0) break;
    const double alpha = alpha_of(error, useless);
    add(std::move(member), alpha, error);
    watch_.end_round(round + 1);
    if (useless || error <= 0.0) break;
    distribution_.tilt([&](std::int64_t row) { return wrong_[row] ? alpha : -alpha; });
  }
  GRADATIM_CHECK(!members_.empty(), DataError, 2029,
                 "{} draws in a row held a single class; use mode = reweight or more rows",
                 config_.max_redraws + 1);
  return finish(settings);
}

std::unique_ptr<Member> AdaBoostFit::fit_member(std::int64_t round) {
  fitter_->draw_by(request_.seed, static_cast<std::uint32_t>(round));
  if (config_.mode == WeightMode::reweight) {
    statistics_.weight = distribution_.fixed_point(statistics_.unit);
    return fitter_->fit_classes(statistics_, rows_, features_);
  }
  for (std::int32_t attempt = 0; attempt <= config_.max_redraws; ++attempt) {
    const auto number = static_cast<std::uint32_t>(round * (config_.max_redraws + 1) + attempt);
    statistics_.weight = distribution_.draw(request_.seed, number);
    statistics_.unit = 1.0;
    std::vector<std::uint32_t> drawn;
    std::vector<bool> seen(statistics_.classes);
    for (const std::uint32_t row : rows_) {
      if (statistics_.weight[row] == 0) continue;
      drawn.push_back(row);
      seen[statistics_.label[row]] = true;
    }
    if (std::count(seen.begin(), seen.end(), true) < 2) continue;
    return fitter_->fit_classes(statistics_, drawn, features_);
  }
  return nullptr;
}

// The weighted error on the full set, whatever the member was fitted on.
double AdaBoostFit::mark_wrong(const Member& member) {
  predict_training(member, binned_, data_.train.features, voted_);
  for (std::int64_t row = 0; row < data_.train.rows(); ++row) {
    wrong_[row] = voted_[row] != double{data_.train.label[row]};
  }
  return distribution_.mean([&](std::int64_t row) { return wrong_[row] ? 1.0 : 0.0; });
}

// A perfect member outvotes all before it; the only member of a hopeless fit votes alone.
double AdaBoostFit::alpha_of(double error, bool useless) const {
  if (useless) return 1.0;
  if (error <= 0.0) {
    double sum = 1.0;
    for (const double alpha : alpha_) sum += alpha;
    return sum;
  }
  return config_.learning_rate * 0.5 *
         (math::log((1.0 - error) / error) + math::log(statistics_.classes - 1.0));
}

void AdaBoostFit::add(std::unique_ptr<Member> member, double alpha, double error) {
  train_votes_.add(voted_, alpha);
  watch_.note("train.error", train_votes_.error());
  if (statistics_.classes == 2) {
    // sum D exp(-alpha y h), which at the optimal alpha is 2 sqrt(e (1 - e)); their product bounds
    // the training error.
    bound_ *= error * math::exp(alpha) + (1.0 - error) * math::exp(-alpha);
    watch_.note("train.error_bound", bound_);
  }
  if (valid_votes_) {
    predict_values(*member, data_.valid->features, voted_);
    valid_votes_->add(voted_, alpha);
    watch_.record("valid", valid_votes_->metric_input());
  }
  members_.push_back(std::move(member));
  alpha_.push_back(alpha);
}

std::shared_ptr<const data::Model> AdaBoostFit::finish(const api::Settings& settings) {
  data::ModelCard card;
  card.settings = settings;
  card.features = schema_of(data_.train.features, binned_.features());
  card.target = request_.target;
  card.classification = true;
  card.classes = data_.task.classes;
  card.notes = request_.notes;
  card.rounds = static_cast<std::int64_t>(members_.size());
  card.history = watch_.history();
  EnsembleParts parts;
  parts.task = data_.task;
  parts.features.assign(binned_.features().begin(), binned_.features().end());
  parts.learner = learner_;
  parts.members = std::move(members_);
  return std::make_shared<VoteModel>(std::move(card), std::move(parts), std::move(alpha_));
}

}  // namespace gradatim::boost
