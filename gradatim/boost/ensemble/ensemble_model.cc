#include "gradatim/boost/ensemble/ensemble_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/api/registry.h"
#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
EnsembleModel::EnsembleModel(data::ModelCard card, EnsembleParts parts)
    : card_(std::move(card)), parts_(std::move(parts)) {}

std::int64_t EnsembleModel::rounds() const {
  return static_cast<std::int64_t>(parts_.members.size()) / parts_.members_per_round;
}

std::vector<std::pair<std::string, double>> EnsembleModel::evaluate(
    const data::Table& table, const std::vector<std::string>& metrics,
    const std::string& weight) const {
  const LabelledRows rows = label_rows(table, parts_.task, card_.target, weight, {});
  const auto predictions = predict(table, {.base_margin = card_.base_margin});
  std::vector<std::pair<std::string, double>> results;
  for (const auto& metric : find_metrics(metrics, parts_.task)) {
    results.emplace_back(metric->short_name(), (*metric)({rows.label, predictions.values,
                                                          predictions.columns, rows.weight}));
  }
  return results;
}

std::vector<data::Importance> EnsembleModel::importances() const {
  const std::size_t count = parts_.features.size();
  std::vector<double> gain(count);
  std::vector<double> cover(count);
  std::vector<double> splits(count);
  parts_.learner->importances(parts_.members, gain, cover, splits);
  std::vector<data::Importance> rows;
  for (std::size_t f = 0; f < count; ++f) {
    rows.push_back({parts_.features[f].name, gain[f], cover[f], splits[f]});
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

std::vector<FeatureBins> features_of(const data::Schema& schema) {
  std::vector<FeatureBins> features;
  for (const auto& column : schema.columns) {
    FeatureBins bins;
    bins.name = column.name;
    bins.type = column.type;
    if (column.categories) bins.categories = *column.categories;
    bins.bins = std::max(1, static_cast<std::int32_t>(bins.categories.size()));
    features.push_back(std::move(bins));
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

namespace {

// A metric's tags name the tasks that it is for.
bool suits(const api::Entry& metric, const Task& task) {
  const std::string_view tags = metric.text.tags;
  const bool binary = tags.find("binary") != std::string_view::npos && task.class_count() == 2;
  const std::string_view wanted = task.classification() ? "classification" : "regression";
  return binary || tags.find(wanted) != std::string_view::npos;
}

std::vector<const api::Entry*> suitable_metrics(const Task& task) {
  auto entries = api::Registry::instance().list(Metric::kKind);
  std::erase_if(entries, [&](const api::Entry* entry) { return !suits(*entry, task); });
  return entries;
}

std::shared_ptr<const Metric> make_metric(const api::Entry& entry) {
  return std::static_pointer_cast<const Metric>(entry.make(entry, {}, {}));
}

[[noreturn]] void refuse_metric(const api::Entry& metric, const Task& task) {
  std::vector<std::string> names;
  for (const api::Entry* entry : suitable_metrics(task)) {
    names.emplace_back(entry->text.name.substr(entry->text.name.rfind('.') + 1));
  }
  throw UsageError(1025,
                   fmt::format("{} does not suit {}; there are {}", metric.text.name,
                               task.classification() ? fmt::format("{} classes", task.class_count())
                                                     : std::string("a numeric target"),
                               join_and(names)));
}

}  // namespace

std::vector<std::shared_ptr<const Metric>> find_metrics(
    const std::vector<std::string>& names, const Task& task,
    const std::map<std::string, api::Made>& own) {
  std::vector<std::shared_ptr<const Metric>> metrics;
  for (const auto& name : names) {
    if (const auto given = own.find(name); given != own.end()) {
      metrics.push_back(std::static_pointer_cast<const Metric>(given->second));
      continue;
    }
    const api::Entry& entry = api::Registry::instance().get(name, Metric::kKind);
    if (!suits(entry, task)) refuse_metric(entry, task);
    metrics.push_back(make_metric(entry));
  }
  if (!names.empty()) return metrics;
  for (const api::Entry* entry : suitable_metrics(task)) metrics.push_back(make_metric(*entry));
  return metrics;
}

}  // namespace gradatim::boost
