#include "gradatim/boost/ensemble/adaboost_fit.h"

#include <fmt/format.h>

#include "gradatim/boost/ensemble/sampling.h"
#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {

std::vector<std::int32_t> features_of_member(const AdaBoostFit& fit, const Fitter& fitter,
                                             std::uint32_t member) {
  return sample_features(static_cast<std::int32_t>(fit.data.binned->features().size()),
                         fit.learner->colsample_bytree(), fit.seed, member,
                         fitter.feature_weights());
}

std::vector<std::shared_ptr<const Metric>> watched_metrics(const data::FitRequest& request,
                                                           const AdditiveData& data,
                                                           std::string_view usual) {
  auto names = request.metrics;
  if (names.empty()) names.emplace_back(usual);
  const int columns = data.task.classification() ? data.task.class_count() : 1;
  auto found = find_metrics(names, {data.task, columns}, request.own_metrics);
  if (!data.valid) found.clear();
  return found;
}

std::unique_ptr<AdditiveData> adaboost_data(const data::FitRequest& request, data::TaskHint wants,
                                            std::string_view model, const Learner& learner) {
  GRADATIM_CHECK(request.base_margin.empty(), UsageError, 1021,
                 "{} has no scores to start from; leave the base margin out or use boost.newton",
                 model);
  require_one_target(request, model);
  if (!learner.joins_ranks()) require_one_process(request, "this learner needs all rows at once");
  auto data = std::make_unique<AdditiveData>(prepare(request, wants));
  data->bin(learner, request.seed);
  return data;
}

data::ModelCard card_of(const data::FitRequest& request, const AdditiveData& data,
                        const api::Settings& settings) {
  data::ModelCard card;
  card.settings = settings;
  card.features = data.schema;
  card.target = request.target;
  card.classification = data.task.classification();
  card.classes = data.task.classes;
  card.notes = request.notes;
  return card;
}

namespace {

std::shared_ptr<const data::Model> fit_rounds(const AdaBoostConfig& config,
                                              const Algorithm& algorithm,
                                              std::shared_ptr<const Learner> learner,
                                              const data::FitRequest& request,
                                              const api::Settings& settings) {
  const auto data =
      adaboost_data(request, data::TaskHint::classification, "boost.adaboost", *learner);
  const AdaBoostFit fit{config, *data, learner, request.seed};
  const auto rounds = algorithm.start(fit);
  Watch watch(watched_metrics(request, *data, algorithm.default_metric()),
              data->valid ? config.early_stopping_rounds : 0, config.n_estimators,
              request.observer);
  for (auto done = Round::added;
       done == Round::added && watch.last_round() < config.n_estimators && !watch.stops();) {
    check_interrupt();
    done = rounds->boost(watch.last_round());
    if (done == Round::none) break;
    rounds->note(watch);
    if (data->valid) watch.record("valid", rounds->watched());
    watch.end_round(watch.last_round() + 1);
  }
  data::ModelCard card = card_of(request, *data, settings);
  card.rounds = watch.best_round();
  card.history = watch.history();
  EnsembleParts parts;
  parts.task = data->task;
  const auto features = data->binned->features();
  parts.features.assign(features.begin(), features.end());
  parts.learner = std::move(learner);
  return rounds->finish(std::move(card), std::move(parts));
}

}  // namespace

std::shared_ptr<const data::Model> fit_adaboost(const AdaBoostConfig& config,
                                                const Algorithm& algorithm,
                                                std::shared_ptr<const Learner> learner,
                                                const data::FitRequest& request,
                                                const api::Settings& settings) {
  require_alike(request, settings);
  return fit_together(request, [&] {
    return fit_rounds(config, algorithm, std::move(learner), request, settings);
  });
}

}  // namespace gradatim::boost
