#include "gradatim/boost/ensemble/additive_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/tree/growth.h"
#include "gradatim/core/error.h"
#include "gradatim/data/convert.h"
#include "gradatim/dist/gather_table.h"

namespace gradatim::boost {
namespace {

data::TaskHint wanted_task(const Loss* loss, const data::FitRequest& request) {
  if (loss == nullptr || !request.targets.empty()) return data::TaskHint::automatic;
  return loss->task() == TaskKind::regression ? data::TaskHint::regression
                                              : data::TaskHint::classification;
}

}  // namespace

AdditiveData::AdditiveData(const data::FitRequest& request, const Loss* loss)
    : AdditiveData(prepare(request, wanted_task(loss, request))) {}

AdditiveData::AdditiveData(TrainingData data)
    : task(std::move(data.task)), train(std::move(data.train)), valid(std::move(data.valid)) {}

data::Table with_columns(const data::Table& features, const std::vector<data::Column>& more,
                         const std::vector<std::string>& names) {
  std::vector<data::Column> columns(features.columns().begin(), features.columns().end());
  for (std::size_t c = 0; c < more.size(); ++c) {
    GRADATIM_CHECK(features.find(names[c]) == nullptr, DataError, 2050,
                   "{} has the name that a target statistic takes; rename it, or leave "
                   "target_statistics at none",
                   data::describe_column(names[c], features.source()));
    columns.push_back(more[c].renamed(names[c]));
  }
  return data::Table(std::move(columns), features.source());
}

FeatureRules rules_of(const Learner& learner, const data::Table& features) {
  return learner.feature_rules(features_of(data::schema_of(features), nullptr));
}

void AdditiveData::add_statistics(const TargetStatisticsConfig& config, const Learner& learner,
                                  std::uint64_t seed, const std::vector<std::string>& targets,
                                  const data::Schema* known, const TargetStatistics* before) {
  if (known != nullptr ? before == nullptr : !config.on()) return;
  const bool split = train.shard.split();
  if (split && before == nullptr && !may_have_statistics(config, train.features)) return;
  // Ordered statistics of a row are of rows of every rank: where there are any, every rank gets
  // all rows for a while.
  const data::Table features =
      split ? dist::gather(*train.shard.group, train.features) : train.features;
  const auto fitted = fit_statistics({.config = config,
                                      .task = task,
                                      .features = features,
                                      .rules = rules_of(learner, train.features),
                                      .label = train.all().label,
                                      .weight = train.all().weight,
                                      .held_out = {},
                                      .known = known,
                                      .before = before,
                                      .seed = seed});
  statistics = fitted.statistics;
  if (statistics == nullptr) return;
  const auto names = statistics->names(fitted.schema, task, targets);
  if (valid) {
    valid->features = with_columns(valid->features,
                                   statistics->columns_of(valid->features, fitted.schema), names);
  }
  std::vector<data::Column> columns = fitted.columns;
  if (split) {
    std::vector<std::int64_t> own(train.rows());
    std::iota(own.begin(), own.end(), train.shard.first_row);
    for (auto& column : columns) column = column.take(own);
  }
  train.features = with_columns(train.features, columns, names);
}

void AdditiveData::bin(const Learner& learner, std::uint64_t seed, const data::Schema* known) {
  BinOptions options = seeded(learner.bin_options(train.shard.rows(train.rows())), seed);
  GRADATIM_CHECK(!options.exact || !train.shard.split(), DistributedError, 5006,
                 "exact splits sort all rows at once, and several ranks have parts of them; use "
                 "tree_method=histogram, or start one process");
  options.known = known;
  options.shard = train.shard;
  const auto sources =
      statistics ? statistics->sources() : std::vector<std::vector<std::int32_t>>();
  options.sources = sources;
  binned.emplace(train.features, train.weight, options);
  schema = schema_of(train.features, binned->features());
  // Numbers of any kind stand for the model's.
  for (std::size_t f = 0; known != nullptr && f < known->columns.size(); ++f) {
    schema.columns[f].type = known->columns[f].type;
  }
  train.features = data::align(train.features, schema);
  if (!valid) return;
  valid->features = data::align(valid->features, schema);
  if (!options.exact) valid_bins.emplace(valid->features, *binned);
}

std::vector<std::int32_t> AdditiveData::classes() const {
  if (!task.classification()) return {};
  return {train.label.begin(), train.label.end()};
}

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

std::vector<double> base_score_of(const Loss& loss, const Task& task, const LabelledRows& rows,
                                  const Grid& grid) {
  // Starting scores replace the base score: they are where the fit begins.
  if (!rows.base_margin.empty()) return std::vector<double>(loss.outputs(task), 0.0);
  auto base = loss.base_score(task, rows.all().label, rows.all().weight);
  for (double& score : base) score = std::nearbyint(score / grid.step) * grid.step;
  return base;
}

}  // namespace gradatim::boost
