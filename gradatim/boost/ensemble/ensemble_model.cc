#include "gradatim/boost/ensemble/ensemble_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/boost/ensemble/lost_digits.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"
#include "gradatim/data/weights.h"
#include "gradatim/dist/collectives.h"

namespace gradatim::boost {
EnsembleModel::EnsembleModel(data::ModelCard card, EnsembleParts parts)
    : card_(std::move(card)), parts_(std::move(parts)) {}

std::int64_t EnsembleModel::rounds() const {
  return static_cast<std::int64_t>(parts_.members.size()) / parts_.members_per_round;
}

std::int64_t EnsembleModel::rounds(const data::PredictOptions& options) const {
  return options.rounds > 0 ? std::min(options.rounds, rounds()) : rounds();
}

std::vector<std::pair<std::string, double>> EnsembleModel::evaluate(
    const data::Table& table, const std::vector<std::string>& metrics,
    const std::string& weight) const {
  return evaluate_ranks(dist::alone(), table, metrics, weight);
}

// Rows are predicted where they are; every rank then has all labels and predictions.
std::vector<std::pair<std::string, double>> EnsembleModel::evaluate_ranks(
    dist::Group& group, const data::Table& table, const std::vector<std::string>& metrics,
    const std::string& weight) const {
  std::vector<double> label;
  std::vector<float> weights;
  data::Predictions predictions;
  dist::together(group, [&] {
    const data::Table rows = data::drop_weightless(table, weight);
    label = exact_labels(rows, parts_.task, card_.target_names());
    weights = data::read_weights(rows, weight);
    predictions = predict(rows, {.base_margin = card_.base_margin});
  });
  if (group.size() > 1) {
    const auto own = std::exchange(label, {});
    const std::size_t rows = own.size() / static_cast<std::size_t>(parts_.task.targets);
    for (int k = 0; k < parts_.task.targets; ++k) {
      const auto all = dist::gather_values<double>(group, std::span(own).subspan(k * rows, rows));
      label.insert(label.end(), all.begin(), all.end());
    }
    weights = dist::gather_values<float>(group, weights);
    predictions.values = dist::gather_values<double>(group, predictions.values);
  }
  std::vector<std::pair<std::string, double>> results;
  const Scored scored{parts_.task, predictions.columns / parts_.task.targets, loss()};
  if (!parts_.task.classification()) {
    const std::size_t rows = label.size() / static_cast<std::size_t>(parts_.task.targets);
    for (int k = 0; k < parts_.task.targets; ++k) {
      keep_digits(std::span(label).subspan(k * rows, rows));
    }
  }
  const MetricInput input{label, predictions.values, predictions.columns, weights,
                          parts_.task.targets};
  for (const auto& metric : find_metrics(metrics, scored)) {
    double value = std::numeric_limits<double>::quiet_NaN();
    try {
      value = (*metric)(input);
    } catch (const NumericError& error) {
      // Of those that nobody asked for, an AUC of one class is no reason to hide the others.
      if (!metrics.empty() || error.code() != 4010) throw;
    }
    results.emplace_back(metric->short_name(), value);
  }
  return results;
}

// What was split on a target statistic counts for the features that it is made from, in equal
// parts.
std::vector<data::Importance> EnsembleModel::importances() const {
  const std::size_t count = parts_.features.size();
  std::vector<double> gain(count);
  std::vector<double> cover(count);
  std::vector<double> splits(count);
  parts_.learner->importances(parts_.members, gain, cover, splits);
  std::vector<data::Importance> rows;
  for (std::size_t f = 0; f < card_.features.columns.size(); ++f) {
    rows.push_back({parts_.features[f].name, gain[f], cover[f], splits[f]});
  }
  for (std::size_t f = rows.size(); f < count; ++f) {
    const auto& sources = parts_.features[f].sources;
    const auto share = static_cast<double>(sources.size());
    for (const std::int32_t source : sources) {
      rows[source].gain += gain[f] / share;
      rows[source].cover += cover[f] / share;
      rows[source].splits += splits[f] / share;
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return a.gain != b.gain ? a.gain > b.gain : a.splits > b.splits;
  });
  return rows;
}

std::string EnsembleModel::bytes() const {
  SafetensorsWriter file;
  data::store_card(card_, file);
  parts_.learner->store(parts_.members, file);
  if (parts_.statistics) parts_.statistics->store(file);
  store_more(file);
  return file.bytes();
}

void check_finite(const SafetensorsFile& file, std::span<const double> numbers) {
  for (const double x : numbers) {
    GRADATIM_CHECK(std::isfinite(x), ModelError, 3010,
                   "{}: one of its votes or scores is not a finite number; it is damaged",
                   file.source());
  }
}

void check_single(const SafetensorsFile& file, const Members& members) {
  const bool single = std::all_of(members.begin(), members.end(),
                                  [](const auto& member) { return member->outputs() == 1; });
  GRADATIM_CHECK(single, ModelError, 3010,
                 "{}: its members predict several numbers a row where one is wanted; it is damaged",
                 file.source());
}

std::vector<FeatureBins> features_of(const data::Schema& schema,
                                     const TargetStatistics* statistics) {
  std::vector<FeatureBins> features;
  for (const auto& column : schema.columns) {
    FeatureBins bins;
    bins.name = column.name;
    bins.type = column.type;
    if (column.categories) bins.categories = *column.categories;
    bins.bins = std::max(1, static_cast<std::int32_t>(bins.categories.size()));
    features.push_back(std::move(bins));
  }
  if (statistics == nullptr) return features;
  for (auto& sources : statistics->sources()) {
    features.push_back({.bins = 1, .sources = std::move(sources)});
  }
  return features;
}

data::Schema schema_of(const data::Table& features, std::span<const FeatureBins> bins) {
  data::Schema schema = data::schema_of(features);
  for (std::size_t f = 0; f < bins.size(); ++f) {
    if (!bins[f].categorical()) continue;
    schema.columns[f].categories = std::make_shared<const data::Categories>(bins[f].categories);
  }
  return schema;
}

}  // namespace gradatim::boost
