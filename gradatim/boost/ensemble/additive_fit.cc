#include "gradatim/boost/ensemble/additive_fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/scored_rows.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/ensemble/watch.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlock = 4096;

data::TaskHint wanted_task(const Loss* loss, const data::FitRequest& request) {
  if (loss == nullptr || !request.targets.empty()) return data::TaskHint::automatic;
  return loss->task() == TaskKind::regression ? data::TaskHint::regression
                                              : data::TaskHint::classification;
}

// Fine enough for the target of the smallest scale, with room for 256 times the largest.
Grid grid_of(const Loss& loss, std::span<const float> label, int targets) {
  const std::size_t rows = label.size() / static_cast<std::size_t>(targets);
  int least = ceil_log2(loss.scale(label.first(rows)));
  int most = least;
  for (int k = 1; k < targets; ++k) {
    const int size = ceil_log2(loss.scale(label.subspan(k * rows, rows)));
    least = std::min(least, size);
    most = std::max(most, size);
  }
  return {std::ldexp(1.0, std::max(least - 36, most - 44))};
}

// One fit: buffers, and the steps of a round.
class AdditiveFit {
 public:
  AdditiveFit(const AdditiveConfig& config, std::shared_ptr<const Loss> loss,
              std::shared_ptr<const Learner> learner, const data::FitRequest& request)
      : config_(config),
        loss_(std::move(loss)),
        learner_(std::move(learner)),
        request_(request),
        data_(prepare(request, wanted_task(loss_.get(), request))) {
    if (!loss_) loss_ = automatic_loss(data_.task);
    loss_->check(data_.task, data_.train.label);
    outputs_ = loss_->outputs(data_.task);
    outliers_.assign(outputs_, 0);
    grid_ = grid_of(*loss_, data_.train.label, data_.task.targets);
    margin_limit_ = std::ldexp(grid_.step, 52);
    base_score_ = loss_->base_score(data_.task, data_.train.label, data_.train.weight);
    // Starting scores replace the base score: they are where the fit begins.
    if (!data_.train.base_margin.empty()) base_score_.assign(outputs_, 0.0);
    for (double& base : base_score_) base = std::nearbyint(base / grid_.step) * grid_.step;
  }

  std::shared_ptr<const data::Model> run(const api::Settings& settings) {
    const BinOptions options = seeded(learner_->bin_options(data_.train.rows()), request_.seed);
    const BinnedData binned(data_.train.features, data_.train.weight, options);
    const data::Schema schema = schema_of(data_.train.features, binned.features());
    data_.train.features = data::align(data_.train.features, schema);
    ScoredRows train(data_.train, base_score_, grid_.step);
    std::optional<BinnedData> valid_bins;
    std::optional<ScoredRows> valid;
    if (data_.valid) {
      data_.valid->features = data::align(data_.valid->features, schema);
      if (!options.exact) valid_bins.emplace(data_.valid->features, binned);
      valid.emplace(*data_.valid, base_score_, grid_.step);
    }
    fitter_ = learner_->start({&binned, &data_.train.features});
    Watch watch(metrics(), data_.valid ? config_.early_stopping_rounds : 0, config_.n_estimators,
                request_.observer);
    for (std::int64_t round = 0; round < config_.n_estimators; ++round) {
      check_interrupt();
      boost(binned, train, valid ? &*valid : nullptr, valid_bins ? &*valid_bins : nullptr, round);
      if (valid) watch.record("valid", valid->metric_input(*loss_, outputs_));
      if (config_.evaluate_train) watch.record("train", train.metric_input(*loss_, outputs_));
      if (watch.end_round(round + 1)) break;
    }
    return finish(settings, binned, watch);
  }

 private:
  std::vector<std::shared_ptr<const Metric>> metrics() const {
    auto names = request_.metrics;
    if (names.empty()) names.emplace_back(loss_->default_metric());
    // Looked up even where nothing is watched: a misspelt name is an error all the same.
    const int columns = loss_->predictions(outputs_) / data_.task.targets;
    auto found = find_metrics(names, {data_.task, columns, loss_.get()}, request_.own_metrics);
    if (!data_.valid && !config_.evaluate_train) found.clear();
    return found;
  }

  // All gradients are taken at the scores before the round.
  void boost(const BinnedData& binned, ScoredRows& train, ScoredRows* valid,
             const BinnedData* valid_bins, std::int64_t round) {
    gradients(train);
    const auto rows = sample_rows(train.rows(), config_.subsample, request_.seed,
                                  static_cast<std::uint32_t>(round));
    if (members_per_round() < outputs_) {
      boost_together(binned, train, valid, valid_bins, rows, round);
      return;
    }
    for (int k = 0; k < outputs_; ++k) {
      const auto draw = static_cast<std::uint32_t>(round * outputs_ + k);
      const auto features = sample_features(static_cast<std::int32_t>(binned.features().size()),
                                            learner_->colsample_bytree(), request_.seed, draw);
      quantise_output(train.rows(), k, draw, binned.exact());
      auto member = fitter_->fit(statistics_, rows, features);
      refit_leaves(train, *member, k, 0, draw);
      take(std::move(member), binned, train, valid, valid_bins, rows, k);
    }
  }

  // One member for all outputs.
  void boost_together(const BinnedData& binned, ScoredRows& train, ScoredRows* valid,
                      const BinnedData* valid_bins, std::span<const std::uint32_t> rows,
                      std::int64_t round) {
    const auto draw = static_cast<std::uint32_t>(round);
    const auto features = sample_features(static_cast<std::int32_t>(binned.features().size()),
                                          learner_->colsample_bytree(), request_.seed, draw);
    const bool outliers = std::find(outliers_.begin(), outliers_.end(), 1) != outliers_.end();
    outliers_.assign(outputs_, outliers);
    for (int k = 0; k < outputs_; ++k) {
      quantise_output(train.rows(), k, static_cast<std::uint32_t>(round * outputs_ + k),
                      binned.exact());
      if (k == 0) vectors_.resize(train.rows(), outputs_, statistics_.wide);
      vectors_.set(k, statistics_);
    }
    auto member = fitter_->fit_vector(vectors_, rows, features);
    for (int k = 0; k < outputs_; ++k) {
      refit_leaves(train, *member, k, k, static_cast<std::uint32_t>(round * outputs_ + k));
    }
    take(std::move(member), binned, train, valid, valid_bins, rows, 0);
  }

  // Shrinks a member, adds it to the scores from output `k` on, and keeps it.
  void take(std::unique_ptr<Member> member, const BinnedData& binned, ScoredRows& train,
            ScoredRows* valid, const BinnedData* valid_bins, std::span<const std::uint32_t> rows,
            int k) {
    member->shrink(config_.learning_rate, grid_);
    const auto leaves = fitter_->leaves();
    const bool whole = rows.size() == static_cast<std::size_t>(train.rows());
    if (whole && !leaves.empty()) {
      train.add_leaves(*fitter_, *member, leaves, k);
    } else {
      train.add(*member, &binned, k);
    }
    if (valid != nullptr) valid->add(*member, valid_bins, k);
    for (int j = 0; j < member->outputs(); ++j) check_margins(train, k + j);
    members_.push_back(std::move(member));
  }

  int members_per_round() const { return config_.vector_leaves ? 1 : outputs_; }

  void gradients(ScoredRows& train) {
    const std::int64_t rows = train.rows();
    g_.resize(rows * outputs_);
    h_.resize(rows * outputs_);
    auto fill = [&](std::int64_t begin, std::int64_t end) {
      loss_->gradients({end - begin, data_.train.label.data() + begin, train.scores() + begin,
                        g_.data() + begin, h_.data() + begin, rows, outputs_, data_.task.targets});
    };
    if (loss_->whole()) {
      fill(0, rows);
    } else {
      parallel_for(rows, kBlock, fill);
    }
  }

  std::span<const float> of_output(const std::vector<float>& values, std::int64_t rows,
                                   int k) const {
    return std::span(values).subspan(k * rows, rows);
  }

  void quantise_output(std::int64_t rows, int k, std::uint32_t draw, bool exact) {
    const QuantiseOptions options{
        .seed = request_.seed,
        .draw = draw,
        .force_wide = exact || config_.high_precision || outliers_[k],
        .constant_hessian = config_.first_order || loss_->constant_hessian()};
    if (config_.first_order) {
      ones_.assign(rows, 1.0F);
      quantise(of_output(g_, rows, k), ones_, data_.train.weight, options, statistics_);
    } else {
      quantise(of_output(g_, rows, k), of_output(h_, rows, k), data_.train.weight, options,
               statistics_);
    }
    outliers_[k] = statistics_.outliers;
  }

  // Per-leaf optima: the loss's own, or (first order) a Newton step with its true hessians.
  // `output` is the member's own number of output `k`.
  void refit_leaves(ScoredRows& train, Member& member, int k, int output, std::uint32_t draw) {
    const auto leaves = fitter_->leaves();
    const bool newton_step = config_.first_order && !loss_->constant_hessian();
    if (leaves.empty() || (!loss_->refits_leaves() && !newton_step)) return;
    if (newton_step) {
      quantise(of_output(g_, train.rows(), k), of_output(h_, train.rows(), k), data_.train.weight,
               {.seed = request_.seed, .draw = draw, .force_wide = true}, step_statistics_);
    }
    const auto scores = train.output(k);
    parallel_tasks(static_cast<std::int64_t>(leaves.size()), [&](std::int64_t i) {
      const Leaf& leaf = leaves[i];
      fitter_->set_leaf(member, leaf.id, output,
                        newton_step ? newton_value(leaf) : loss_value(leaf, scores, k));
    });
  }

  double newton_value(const Leaf& leaf) const {
    std::int64_t g = 0;
    std::int64_t h = 0;
    for (const std::uint32_t row : leaf.rows) {
      g += step_statistics_.fine[row].g;
      h += step_statistics_.fine[row].h;
    }
    if (h == 0) return 0.0;
    return -(static_cast<double>(g) * step_statistics_.fine_units.g) /
           (static_cast<double>(h) * step_statistics_.fine_units.h);
  }

  double loss_value(const Leaf& leaf, std::span<const double> scores, int k) const {
    const std::size_t first = data_.task.targets > 1 ? k * scores.size() : 0;
    std::vector<float> label;
    std::vector<double> score;
    std::vector<float> weight;
    for (const std::uint32_t row : leaf.rows) {
      label.push_back(data_.train.label[first + row]);
      score.push_back(scores[row]);
      if (!data_.train.weight.empty()) weight.push_back(data_.train.weight[row]);
    }
    return loss_->leaf_value({label, score, weight, k});
  }

  // Sums of grid values are exact below 2^52 steps.
  void check_margins(ScoredRows& train, int k) {
    const auto scores = train.output(k);
    std::vector<std::uint8_t> beyond((scores.size() + kBlock - 1) / kBlock);
    parallel_for(static_cast<std::int64_t>(scores.size()), kBlock,
                 [&](std::int64_t begin, std::int64_t end) {
                   bool bad = false;
                   for (std::int64_t row = begin; row < end; ++row) {
                     bad = bad || !(std::abs(scores[row]) < margin_limit_);
                   }
                   beyond[begin / kBlock] = bad;
                 });
    GRADATIM_CHECK(std::find(beyond.begin(), beyond.end(), 1) == beyond.end(), NumericError, 4002,
                   "scores grew beyond {} and the fit diverges; lower the learning rate",
                   margin_limit_);
  }

  std::shared_ptr<const data::Model> finish(const api::Settings& settings, const BinnedData& binned,
                                            const Watch& watch) {
    data::ModelCard card;
    card.settings = settings;
    card.features = schema_of(data_.train.features, binned.features());
    card.target = request_.target;
    card.targets = request_.targets;
    card.predictions = request_.targets.empty() ? loss_->prediction_names() : request_.targets;
    card.base_margin = request_.base_margin;
    card.classification = data_.task.classification();
    card.classes = data_.task.classes;
    card.rounds = watch.best_round();
    card.history = watch.history();
    card.notes = request_.notes;
    members_.resize(card.rounds * members_per_round());
    AdditiveParts parts;
    parts.ensemble.task = data_.task;
    parts.ensemble.features.assign(binned.features().begin(), binned.features().end());
    parts.ensemble.learner = learner_;
    parts.ensemble.members = std::move(members_);
    parts.ensemble.members_per_round = members_per_round();
    parts.loss = loss_;
    parts.base_score = base_score_;
    return std::make_shared<AdditiveModel>(std::move(card), std::move(parts));
  }

  const AdditiveConfig& config_;
  std::shared_ptr<const Loss> loss_;
  std::shared_ptr<const Learner> learner_;
  const data::FitRequest& request_;
  TrainingData data_;
  int outputs_ = 1;
  Grid grid_;
  double margin_limit_ = 0.0;
  std::vector<double> base_score_;
  std::unique_ptr<Fitter> fitter_;
  Members members_;
  std::vector<float> g_, h_, ones_;  // [outputs][rows]
  Statistics statistics_;
  Statistics step_statistics_;
  VectorStatistics vectors_;
  std::vector<std::uint8_t> outliers_;  // of each output in the last round
};

}  // namespace

std::shared_ptr<const data::Model> fit_additive(const AdditiveConfig& config,
                                                std::shared_ptr<const Loss> loss,
                                                std::shared_ptr<const Learner> learner,
                                                const data::FitRequest& request,
                                                const api::Settings& settings) {
  return AdditiveFit(config, std::move(loss), std::move(learner), request).run(settings);
}

}  // namespace gradatim::boost
