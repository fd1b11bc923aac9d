#include "gradatim/boost/ensemble/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "gradatim/core/error.h"
#include "gradatim/core/philox.h"
#include "gradatim/core/text.h"
#include "gradatim/data/check.h"

namespace gradatim::boost {
namespace {

using data::Column;
using data::ColumnType;
using data::Table;
using data::TaskHint;

std::string where(const Table& table, const std::string& column, std::int64_t row) {
  return fmt::format("{}column '{}', row {}", table.source().empty() ? "" : table.source() + ": ",
                     column, row + 1);
}

std::vector<double> read_all(const Column& column) {
  std::vector<double> cells(column.rows());
  column.read(0, cells);
  return cells;
}

bool zero_or_one(const Column& column) {
  const auto cells = read_all(column);
  return std::all_of(cells.begin(), cells.end(),
                     [](double x) { return x == 0.0 || x == 1.0 || std::isnan(x); });
}

bool is_classification(const Column& target, TaskHint hint) {
  if (hint != TaskHint::automatic) return hint == TaskHint::classification;
  if (target.type() == ColumnType::categorical || target.type() == ColumnType::boolean) return true;
  return target.type() == ColumnType::integer && zero_or_one(target);
}

// The word of each class of a column, as predictions will print it.
std::vector<std::string> class_words(const Column& target) {
  if (target.type() == ColumnType::boolean) return {"false", "true"};
  std::vector<std::string> words;
  if (target.type() == ColumnType::categorical) {
    std::vector<std::int32_t> codes(target.rows());
    target.read_codes(0, codes);
    std::vector<bool> seen(target.categories().size());
    for (const std::int32_t code : codes) {
      if (code >= 0) seen[code] = true;
    }
    for (std::size_t k = 0; k < seen.size(); ++k) {
      if (seen[k]) words.push_back(target.categories()[k]);
    }
    std::sort(words.begin(), words.end());
    return words;
  }
  const auto cells = read_all(target);
  std::set<double> values;
  for (const double x : cells) {
    if (!std::isnan(x)) values.insert(x);
  }
  for (const double x : values) words.push_back(number_text(x));
  return words;
}

void check_numbers(const data::FitRequest& request, const Column& target) {
  GRADATIM_CHECK(target.type() != ColumnType::categorical, DataError, 2020,
                 "{}the target '{}' holds words and the loss needs numbers; choose a "
                 "classification loss or another target",
                 request.table.source().empty() ? "" : request.table.source() + ": ",
                 target.name());
}

Task several_targets(const data::FitRequest& request, const Table& table) {
  const std::set<std::string> distinct(request.targets.begin(), request.targets.end());
  GRADATIM_CHECK(request.task != TaskHint::classification, UsageError, 1027,
                 "classes are learned from one target, and there are {}; columns of 0 and 1 are "
                 "learned at once by boost.loss.cross_entropy, as numbers",
                 request.targets.size());
  GRADATIM_CHECK(distinct.size() == request.targets.size(), UsageError, 1027,
                 "a target is named twice among {}", join_and(request.targets));
  for (const auto& name : request.targets) check_numbers(request, table.column(name));
  return {.targets = static_cast<int>(request.targets.size())};
}

Task find_task(const data::FitRequest& request, const Table& table, TaskHint wants) {
  if (!request.targets.empty()) return several_targets(request, table);
  const Column& target = table.column(request.target);
  const TaskHint hint = request.task != TaskHint::automatic ? request.task : wants;
  Task task;
  if (!is_classification(target, hint)) {
    check_numbers(request, target);
    return task;
  }
  task.kind = TaskKind::classification;
  const auto present = class_words(target);
  task.classes = request.classes.empty() ? present : request.classes;
  GRADATIM_CHECK(present.size() >= 2, DataError, 2022,
                 "{}the target '{}' has only one class{}; a classifier needs at least two",
                 request.table.source().empty() ? "" : request.table.source() + ": ", target.name(),
                 present.empty() ? "" : ", '" + present.front() + "'");
  return task;
}

// Class indices, or numbers; every cell must have one, but for rows of weight zero.
std::vector<float> read_labels(const Table& table, const Column& target, const Task& task,
                               std::span<const float> weight = {}) {
  std::vector<float> label(target.rows());
  const auto skipped = [&](std::int64_t row) { return !weight.empty() && weight[row] == 0.0F; };
  if (!task.classification()) {
    const auto cells = read_all(target);
    for (std::int64_t row = 0; row < target.rows(); ++row) {
      if (skipped(row)) continue;
      GRADATIM_CHECK(!std::isnan(cells[row]), DataError, 2021,
                     "{}: the target is missing; remove the row", where(table, target.name(), row));
      GRADATIM_CHECK(std::isfinite(static_cast<float>(cells[row])), DataError, 2024,
                     "{}: the target is {}, beyond what a float32 holds; remove or scale it",
                     where(table, target.name(), row), cells[row]);
      label[row] = static_cast<float>(cells[row]);
    }
    return label;
  }
  std::map<std::string, float> index;
  for (std::size_t k = 0; k < task.classes.size(); ++k)
    index[task.classes[k]] = static_cast<float>(k);
  auto find = [&](const std::string& word, std::int64_t row) {
    const auto found = index.find(word);
    GRADATIM_CHECK(found != index.end(), DataError, 2026,
                   "{}: the class '{}' was not there in training; known are {}",
                   where(table, target.name(), row), word, join_and(task.classes));
    return found->second;
  };
  if (target.type() == ColumnType::categorical) {
    std::vector<std::int32_t> codes(target.rows());
    target.read_codes(0, codes);
    std::vector<float> by_code(target.categories().size(), -1.0F);
    for (std::int64_t row = 0; row < target.rows(); ++row) {
      if (skipped(row)) continue;
      GRADATIM_CHECK(codes[row] >= 0, DataError, 2021, "{}: the target is missing; remove the row",
                     where(table, target.name(), row));
      float& known = by_code[codes[row]];
      if (known < 0.0F) known = find(target.categories()[codes[row]], row);
      label[row] = known;
    }
    return label;
  }
  const auto cells = read_all(target);
  std::map<double, float> by_value;
  for (std::int64_t row = 0; row < target.rows(); ++row) {
    if (skipped(row)) continue;
    const double x = cells[row];
    GRADATIM_CHECK(!std::isnan(x), DataError, 2021, "{}: the target is missing; remove the row",
                   where(table, target.name(), row));
    auto known = by_value.find(x);
    if (known == by_value.end()) {
      const std::string word =
          target.type() == ColumnType::boolean ? (x != 0.0 ? "true" : "false") : number_text(x);
      known = by_value.emplace(x, find(word, row)).first;
    }
    label[row] = known->second;
  }
  return label;
}

std::vector<float> read_weights(const Table& table, const std::string& name) {
  if (name.empty()) return {};
  const auto cells = read_all(table.column(name));
  std::vector<float> weight(cells.size());
  for (std::size_t row = 0; row < cells.size(); ++row) {
    GRADATIM_CHECK(cells[row] >= 0.0 && std::isfinite(static_cast<float>(cells[row])), DataError,
                   2023, "{}: the weight is {}; weights are finite numbers of at least 0",
                   where(table, name, static_cast<std::int64_t>(row)), number_text(cells[row]));
    weight[row] = static_cast<float>(cells[row]);
  }
  return weight;
}

// Rows by whether they are validation rows, a pure function of (seed, row).
std::pair<Table, Table> split_rows(const Table& table, double fraction, std::uint64_t seed) {
  const Philox random(seed, Stream::split);
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> valid;
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    (random.uniform(row) < fraction ? valid : train).push_back(row);
  }
  GRADATIM_CHECK(!train.empty() && !valid.empty(), DataError, 2025,
                 "a validation share of {} leaves {} rows to learn from and {} to watch; "
                 "change the share or give a file",
                 number_text(fraction), train.size(), valid.size());
  return {table.take(train), table.take(valid)};
}

// The cells that nothing can be learned from, while row numbers are still those of the source.
void check_features(const data::FitRequest& request, const Table& table) {
  std::vector<Column> features;
  for (const auto& column : table.columns()) {
    const auto in = [&](const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), column.name()) != names.end();
    };
    const bool feature =
        !in(request.target_names()) && column.name() != request.weight && !in(request.base_margin);
    if (feature) features.push_back(column);
  }
  data::check_finite(features, table.source());
}

Table drop_weightless(const Table& table, const std::string& weight) {
  if (weight.empty()) return table;
  const auto cells = read_weights(table, weight);
  std::vector<std::int64_t> kept;
  for (std::size_t row = 0; row < cells.size(); ++row) {
    if (cells[row] > 0.0F) kept.push_back(static_cast<std::int64_t>(row));
  }
  GRADATIM_CHECK(!kept.empty(), DataError, 2023,
                 "column '{}': every weight is zero, so there is nothing to learn from", weight);
  return kept.size() == cells.size() ? table : table.take(kept);
}

}  // namespace

void require_one_target(const data::FitRequest& request, std::string_view model) {
  GRADATIM_CHECK(request.targets.empty(), UsageError, 1027,
                 "{} learns one target, and {} were named; use boost.newton or boost.gradient",
                 model, request.targets.size());
}

LabelledRows label_rows(const Table& table, const Task& task,
                        const std::vector<std::string>& targets, const std::string& weight,
                        const std::vector<std::string>& base_margin) {
  LabelledRows rows;
  rows.targets = task.targets;
  for (const auto& target : targets) {
    const auto label = read_labels(table, table.column(target), task);
    rows.label.insert(rows.label.end(), label.begin(), label.end());
  }
  rows.weight = read_weights(table, weight);
  for (const auto& name : base_margin) rows.base_margin.push_back(read_all(table.column(name)));
  rows.features = table;
  for (const auto& target : targets) rows.features = rows.features.without(target);
  if (!weight.empty()) rows.features = rows.features.without(weight);
  for (const auto& name : base_margin) rows.features = rows.features.without(name);
  return rows;
}

TrainingData prepare(const data::FitRequest& request, TaskHint wants) {
  TrainingData data;
  check_features(request, request.table);
  if (request.valid) check_features(request, *request.valid);
  Table table = drop_weightless(request.table, request.weight);
  data.task = find_task(request, table, wants);
  const auto targets = request.target_names();
  std::optional<Table> valid = request.valid;
  const bool split = !valid && request.valid_fraction > 0.0;
  if (split || table.rows() < request.table.rows()) {  // errors name the source's rows
    const auto weight = read_weights(request.table, request.weight);
    for (const auto& target : targets) {
      read_labels(request.table, request.table.column(target), data.task, weight);
    }
  }
  if (split) {
    auto [train, watched] = split_rows(table, request.valid_fraction, request.seed);
    table = std::move(train);
    valid = std::move(watched);
  }
  data.train = label_rows(table, data.task, targets, request.weight, request.base_margin);
  if (valid) {
    data.valid = label_rows(*valid, data.task, targets, request.weight, request.base_margin);
  }
  return data;
}

}  // namespace gradatim::boost
