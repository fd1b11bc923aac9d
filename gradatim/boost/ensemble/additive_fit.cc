#include "gradatim/boost/ensemble/additive_fit.h"

#include <fmt/format.h>

#include "gradatim/boost/ensemble/additive_data.h"
#include "gradatim/boost/ensemble/additive_rounds.h"
#include "gradatim/boost/ensemble/checkpoint.h"
#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/boost/ensemble/warm_start.h"
#include "gradatim/boost/ensemble/watch.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
namespace {

// One fit: where it begins, its rounds, what is watched, and the model that it ends with.
class AdditiveFit {
 public:
  AdditiveFit(const AdditiveConfig& config, std::shared_ptr<const Loss> loss,
              std::shared_ptr<const Learner> learner, const data::FitRequest& request,
              api::Settings settings)
      : config_(config),
        settings_(std::move(settings)),
        learner_(std::move(learner)),
        start_(request.init_model ? std::make_unique<WarmStart>(request, *learner_) : nullptr),
        loss_(start_ ? start_->loss(std::move(loss), settings_) : std::move(loss)),
        request_(start_ ? start_->request() : request),
        data_(request_, loss_.get()) {
    if (!loss_) loss_ = automatic_loss(data_.task);
    const LabelledRows& all = data_.train.all();
    loss_->check(data_.task, all.label);
    balance();
    outputs_ = loss_->outputs(data_.task);
    grid_ = grid_of(*loss_, all.label, data_.task.targets);
    base_score_ = start_ ? start_->base_score(outputs_, members_per_round())
                         : base_score_of(*loss_, data_.task, data_.train, grid_);
  }

  std::shared_ptr<const data::Model> run() {
    data_.add_statistics(config_.statistics, *learner_, request_.seed, request_.target_names(),
                         start_ ? &start_->schema() : nullptr,
                         start_ ? start_->statistics() : nullptr);
    data_.bin(*learner_, request_.seed, start_ ? &start_->schema() : nullptr);
    // Labels of all ranks are only asked for again where the rows are watched.
    if (!config_.evaluate_train) data_.train.whole = nullptr;
    Members members;
    if (start_) {
      members =
          start_->load_members(data_.binned->features(), config_.vector_leaves ? outputs_ : 1);
      grid_.step = start_->finest_step(grid_.step, members, data_.train.features);
    }
    ScoredRows train(data_.train, base_score_, grid_.step);
    std::optional<ScoredRows> valid;
    if (data_.valid) valid.emplace(*data_.valid, base_score_, grid_.step);
    AdditiveRounds rounds(config_, *loss_, *learner_,
                          {&*data_.binned, &train, valid ? &*valid : nullptr,
                           data_.valid_bins ? &*data_.valid_bins : nullptr},
                          grid_, outputs_, request_.seed);
    total_ = config_.n_estimators + (start_ ? start_->rounds() : 0);
    Watch watch(metrics(), data_.valid ? config_.early_stopping_rounds : 0, total_,
                request_.observer);
    const Scores scores{train, valid ? &*valid : nullptr};
    state_.outliers = rounds.outliers();

    Checkpoint checkpoint(request_.resume, request_.checkpoint_seconds, *learner_);
    if (checkpoint.wanted()) {
      identity_ = identity_of(request_, settings_, data_.task, data_.schema, data_.train,
                              data_.valid ? &*data_.valid : nullptr);
    }
    if (auto loaded = load(checkpoint)) {
      restore(std::move(*loaded), rounds, watch);
    } else if (start_) {
      replay(std::move(members), rounds, scores, watch);
    }
    guarded(checkpoint, rounds, [&] { go(rounds, scores, watch, checkpoint); });
    const std::string failure = save(checkpoint, rounds);
    if (!failure.empty() && request_.observer != nullptr) {
      request_.observer->on_warning("the model is whole, but not its checkpoint: " + failure);
    }
    return finish(rounds);
  }

 private:
  struct Scores {
    ScoredRows& train;
    ScoredRows* valid;  // or null
  };

  dist::Group& group() const { return *data_.train.shard.group; }

  void balance() {
    LabelledRows& train = data_.train;
    LabelledRows& all = train.whole ? *train.whole : train;
    all.weight = balanced(config_.balance, request_.class_weights, data_.task, all.label,
                          std::move(all.weight));
    if (train.whole && !all.weight.empty()) train.weight = train.own_part<float>(all.weight);
  }

  int members_per_round() const {
    return (config_.vector_leaves ? 1 : outputs_) * static_cast<int>(config_.num_parallel_tree);
  }

  std::vector<std::shared_ptr<const Metric>> metrics() const {
    auto names = request_.metrics;
    if (names.empty()) names.emplace_back(loss_->default_metric());
    // Looked up even where nothing is watched: a misspelt name is an error all the same.
    const int columns = loss_->predictions(outputs_) / data_.task.targets;
    auto found = find_metrics(names, {data_.task, columns, loss_.get()}, request_.own_metrics);
    if (!data_.valid && !config_.evaluate_train) found.clear();
    return found;
  }

  void go(AdditiveRounds& rounds, const Scores& scores, Watch& watch, Checkpoint& checkpoint) {
    while (watch.last_round() < total_ && !watch.stops()) {
      check_interrupt();
      rounds.boost(watch.last_round());
      record(scores, watch);
      close(rounds, watch);
      if (group().rank() == 0) checkpoint.write_if_due(identity_, state_, rounds.members());
      watch.tell();
      if (out_of_time(watch)) break;
    }
  }

  // By rank 0's clock.
  bool out_of_time(const Watch& watch) const {
    if (config_.max_seconds == 0.0) return false;
    std::int64_t over = watch.seconds() > config_.max_seconds ? 1 : 0;
    group().broadcast(std::as_writable_bytes(std::span(&over, 1)), 0);
    return over != 0;
  }

  // Whatever ends a fit early, the checkpoint holds the rounds that were done, if it can be
  // written.
  template <class F>
  void guarded(Checkpoint& checkpoint, const AdditiveRounds& rounds, F go) {
    try {
      go();
    } catch (const Interrupted&) {
      if (!checkpoint.wanted()) throw;
      const std::string failure = save(checkpoint, rounds);
      if (!failure.empty()) {
        throw Interrupted(fmt::format("interrupted, and there is no checkpoint: {}", failure));
      }
      throw Interrupted(fmt::format(
          "interrupted; {} holds the {} rounds that were done, and the same fit goes on from there",
          request_.resume, state_.watch.last));
    } catch (...) {
      save(checkpoint, rounds);
      throw;
    }
  }

  // Only whole rounds: what an exception left of the next one stays out. Returns why it could not
  // be written, which must cost neither a finished model nor the error that ended the fit.
  std::string save(Checkpoint& checkpoint, const AdditiveRounds& rounds) {
    if (group().rank() != 0) return {};  // all ranks have the same members
    const auto whole = state_.watch.last * rounds.members_per_round();
    try {
      checkpoint.write(identity_, state_, std::span(rounds.members()).first(whole));
    } catch (const std::exception& error) {
      return error.what();
    }
    return {};
  }

  // Every rank reads the same folder, before rank 0 writes there.
  std::optional<Checkpoint::Loaded> load(const Checkpoint& checkpoint) const {
    std::optional<Checkpoint::Loaded> loaded;
    dist::together(group(), [&] { loaded = checkpoint.load(identity_, data_.binned->features()); });
    dist::require_equal(
        group(), "checkpoint in the folder, which all must see",
        loaded ? fmt::format("one of {} rounds", loaded->state.watch.last) : "none");
    return loaded;
  }

  void restore(Checkpoint::Loaded loaded, AdditiveRounds& rounds, Watch& watch) {
    state_ = std::move(loaded.state);
    watch.restore(state_.watch);
    best_round_ = watch.best_round();
    check_sizes(loaded.members.size());
    const std::int64_t scaled = start_ ? start_->rounds() : 0;
    rounds.begin_with(std::move(loaded.members), config_.dropout.on() ? scaled : state_.watch.last,
                      state_.weights, state_.outliers);
    rounds.add_rounds(0, state_.watch.last);
  }

  void check_sizes(std::size_t members) const {
    const auto last = static_cast<std::size_t>(state_.watch.last);
    const auto best = static_cast<std::size_t>(best_round_);
    const bool dropout = config_.dropout.on();
    const bool sound = members == last * static_cast<std::size_t>(members_per_round()) &&
                       last <= static_cast<std::size_t>(total_) && best <= last &&
                       state_.outliers.size() == static_cast<std::size_t>(outputs_) &&
                       state_.weights.size() == (dropout ? last : 0) &&
                       state_.best_weights.size() == (dropout ? best : 0);
    GRADATIM_CHECK(sound, ModelError, 3011,
                   "the checkpoint in {} is damaged: its parts do not fit together; remove it to "
                   "begin the fit anew",
                   request_.resume);
  }

  // The rounds of the model that the fit goes on from, as if they had been fitted here: metrics,
  // the best round, and the outliers of the last round, which the next one must know.
  void replay(Members members, AdditiveRounds& rounds, const Scores& scores, Watch& watch) {
    const std::int64_t count = start_->rounds();
    rounds.begin_with(std::move(members), count, {}, {});
    for (std::int64_t round = 0; round < count; ++round) {
      if (round + 1 == count) rounds.find_outliers(round);
      rounds.add_rounds(round, 1);
      record(scores, watch);
      close(rounds, watch);
      watch.skip();
    }
  }

  void record(const Scores& scores, Watch& watch) {
    if (scores.valid != nullptr) {
      watch.record("valid", scores.valid->metric_input(*loss_, outputs_));
    }
    if (config_.evaluate_train) watch.record("train", scores.train.metric_input(*loss_, outputs_));
  }

  void close(const AdditiveRounds& rounds, Watch& watch) {
    watch.close_round(watch.last_round() + 1);
    state_.watch = watch.state();
    state_.outliers = rounds.outliers();
    state_.weights = rounds.weights();
    if (watch.best_round() == watch.last_round()) state_.best_weights = state_.weights;
    best_round_ = watch.best_round();
  }

  std::shared_ptr<const data::Model> finish(AdditiveRounds& rounds) {
    data::ModelCard card;
    card.settings = settings_;
    card.settings.values["n_estimators"] = total_;
    card.features = data_.schema;
    if (data_.statistics) {
      card.features.columns.resize(card.features.columns.size() - data_.statistics->columns());
    }
    card.target = request_.target;
    card.targets = request_.targets;
    card.predictions = request_.targets.empty() ? loss_->prediction_names() : request_.targets;
    card.base_margin = request_.base_margin;
    card.classification = data_.task.classification();
    card.classes = data_.task.classes;
    card.rounds = best_round_;
    card.history = state_.watch.history;
    card.notes = request_.notes;
    AdditiveParts parts;
    parts.ensemble.task = data_.task;
    const auto features = data_.binned->features();
    parts.ensemble.features.assign(features.begin(), features.end());
    parts.ensemble.statistics = data_.statistics;
    parts.ensemble.learner = learner_;
    parts.ensemble.members = rounds.take(card.rounds, state_.best_weights);
    parts.ensemble.members_per_round = rounds.members_per_round();
    parts.loss = loss_;
    parts.base_score = base_score_;
    return std::make_shared<AdditiveModel>(std::move(card), std::move(parts));
  }

  const AdditiveConfig& config_;
  api::Settings settings_;  // that the model will say
  std::shared_ptr<const Learner> learner_;
  std::unique_ptr<WarmStart> start_;
  std::shared_ptr<const Loss> loss_;
  const data::FitRequest& request_;
  AdditiveData data_;
  int outputs_ = 1;
  Grid grid_;
  std::vector<double> base_score_;
  std::int64_t total_ = 0;  // rounds at most
  std::int64_t best_round_ = 0;
  Identity identity_;
  LoopState state_;  // after the last whole round
};

}  // namespace

std::shared_ptr<const data::Model> fit_additive(const AdditiveConfig& config,
                                                std::shared_ptr<const Loss> loss,
                                                std::shared_ptr<const Learner> learner,
                                                const data::FitRequest& request,
                                                const api::Settings& settings) {
  require_alike(request, settings);
  if (!learner->joins_ranks()) {
    require_one_process(request, "this learner needs all rows at once");
  }
  if (loss && loss->whole()) {
    require_one_process(request, "a loss of your own is given all rows at once");
  }
  return fit_together(request, [&] {
    return AdditiveFit(config, std::move(loss), std::move(learner), request, settings).run();
  });
}

}  // namespace gradatim::boost
