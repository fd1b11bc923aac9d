#include "gradatim/boost/ensemble/ensemble_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/boost/ensemble/training_data.h"
#include "gradatim/boost/metric/find.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlockRows = 256;

}  // namespace

struct EnsembleModel::Block {
  RowBlock rows;
  std::int64_t begin = 0;
  std::vector<double>* state = nullptr;  // started, margins added
};

EnsembleModel::EnsembleModel(data::ModelCard card, EnsembleParts parts)
    : card_(std::move(card)), parts_(std::move(parts)) {}

std::int64_t EnsembleModel::rounds() const {
  return static_cast<std::int64_t>(parts_.members.size()) / parts_.members_per_round;
}

std::int64_t EnsembleModel::block_rows(std::int64_t rows) const {
  const bool whole = !parts_.members.empty() && parts_.members.front()->whole();
  return whole ? std::max<std::int64_t>(1, rows) : kBlockRows;
}

void EnsembleModel::each_block(const data::Table& table, const data::PredictOptions& options,
                               const std::function<void(const Block&)>& f) const {
  std::vector<data::Column> columns;
  for (const auto& feature : card_.features.columns) columns.push_back(data::align(table, feature));
  std::vector<data::Column> margins;
  for (const auto& name : options.base_margin) margins.push_back(table.column(name));
  const int width = state_columns();
  GRADATIM_CHECK(margins.empty() || static_cast<int>(margins.size()) == width, UsageError, 1020,
                 "the model has {} scores a row and {} columns of base margins were named", width,
                 margins.size());
  const auto features = static_cast<std::int64_t>(columns.size());
  parallel_for(table.rows(), block_rows(table.rows()), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t rows = end - begin;
    auto owner = std::make_shared<std::vector<double>>(rows * features);
    std::vector<double>& values = *owner;
    std::vector<double> cells(rows);
    for (std::int64_t c = 0; c < features; ++c) {
      columns[c].read(begin, cells);
      for (std::int64_t i = 0; i < rows; ++i) values[i * features + c] = cells[i];
    }
    std::vector<double> state(rows * width);
    start(rows, state.data());
    for (std::size_t k = 0; k < margins.size(); ++k) {
      margins[k].read(begin, cells);
      for (std::int64_t i = 0; i < rows; ++i) {
        GRADATIM_CHECK(std::isfinite(cells[i]), DataError, 2028,
                       "the base margin of row {} is not finite; give every row a number",
                       begin + i + 1);
        state[i * width + k] += cells[i];
      }
    }
    f({{values.data(), rows, features, owner}, begin, &state});
  });
}

data::Predictions EnsembleModel::predict(const data::Table& table,
                                         const data::PredictOptions& options) const {
  data::Predictions predictions;
  predictions.columns = prediction_columns(options.kind);
  predictions.values.resize(table.rows() * predictions.columns);
  const std::int64_t used = options.rounds > 0 ? std::min(options.rounds, rounds()) : rounds();
  each_block(table, options, [&](const Block& block) {
    for (std::int64_t round = 0; round < used; ++round) {
      accumulate(block.rows, round, block.state->data());
    }
    finish(block.state->data(), block.rows.rows, used, options.kind,
           predictions.values.data() + block.begin * predictions.columns);
  });
  return predictions;
}

void EnsembleModel::predict_staged(
    const data::Table& table, const data::PredictOptions& options,
    const std::function<void(std::int64_t, const data::Predictions&)>& stage) const {
  const int width = state_columns();
  std::vector<double> states(table.rows() * width);
  auto owner = std::make_shared<std::vector<double>>(
      table.rows() * std::max<std::size_t>(1, parts_.features.size()));
  std::vector<double>& values = *owner;
  const auto features = static_cast<std::int64_t>(parts_.features.size());
  each_block(table, options, [&](const Block& block) {
    std::copy(block.state->begin(), block.state->end(), states.begin() + block.begin * width);
    std::copy_n(block.rows.values, block.rows.rows * features,
                values.begin() + block.begin * features);
  });
  data::Predictions predictions;
  predictions.columns = prediction_columns(options.kind);
  predictions.values.resize(table.rows() * predictions.columns);
  for (std::int64_t round = 0; round < rounds(); ++round) {
    check_interrupt();
    parallel_for(table.rows(), block_rows(table.rows()), [&](std::int64_t begin, std::int64_t end) {
      accumulate({values.data() + begin * features, end - begin, features, owner}, round,
                 states.data() + begin * width);
      finish(states.data() + begin * width, end - begin, round + 1, options.kind,
             predictions.values.data() + begin * predictions.columns);
    });
    stage(round + 1, predictions);
  }
}

std::vector<std::pair<std::string, double>> EnsembleModel::evaluate(
    const data::Table& table, const std::vector<std::string>& metrics,
    const std::string& weight) const {
  const LabelledRows rows = label_rows(table, parts_.task, card_.target_names(), weight, {});
  const auto predictions = predict(table, {.base_margin = card_.base_margin});
  std::vector<std::pair<std::string, double>> results;
  const Scored scored{parts_.task, predictions.columns / parts_.task.targets, loss()};
  for (const auto& metric : find_metrics(metrics, scored)) {
    results.emplace_back(metric->short_name(),
                         (*metric)({rows.label, predictions.values, predictions.columns,
                                    rows.weight, parts_.task.targets}));
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

}  // namespace gradatim::boost
