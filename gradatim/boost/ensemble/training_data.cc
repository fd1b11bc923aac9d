#include "gradatim/boost/ensemble/training_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "gradatim/boost/ensemble/lost_digits.h"
#include "gradatim/boost/ensemble/shard_data.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"
#include "gradatim/data/check.h"
#include "gradatim/data/split.h"
#include "gradatim/data/weights.h"

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

std::vector<double> read_margins(const Table& table, const std::string& name,
                                 std::span<const float> weight) {
  data::check_numeric(table.column(name), table.source(), "base margins", 2028);
  auto cells = read_all(table.column(name));
  for (std::int64_t row = 0; row < table.rows(); ++row) {
    const bool skipped = !weight.empty() && weight[row] == 0.0F;
    GRADATIM_CHECK(skipped || std::isfinite(cells[row]), DataError, 2028,
                   "{}: the base margin is not finite; give every row a number",
                   where(table, name, row));
  }
  return cells;
}

}  // namespace

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

namespace {

// The targets alone, of the rows that weigh something.
Table targets_of(const data::FitRequest& request) {
  const Table& table = request.table;
  const auto names = request.target_names();
  std::vector<Column> columns;
  for (const auto& name : std::set<std::string>(names.begin(), names.end())) {
    columns.push_back(table.column(name));
  }
  const auto kept = data::weighing_rows(table, request.weight);
  const Table targets(std::move(columns), table.source());
  return static_cast<std::int64_t>(kept.size()) == table.rows() ? targets : targets.take(kept);
}

LabelledRows take(const LabelledRows& all, std::span<const std::int64_t> rows) {
  const auto gather = [&](const auto& cells, std::size_t begin, auto& out) {
    for (const std::int64_t row : rows) out.push_back(cells[begin + row]);
  };
  LabelledRows some;
  some.targets = all.targets;
  some.features = all.features.take(rows);
  for (int k = 0; k < all.targets; ++k) gather(all.label, k * all.rows(), some.label);
  if (!all.weight.empty()) gather(all.weight, 0, some.weight);
  for (const auto& margin : all.base_margin) {
    gather(margin, 0, some.base_margin.emplace_back());
  }
  return some;
}

LabelledRows without_weightless(LabelledRows all) {
  std::vector<std::int64_t> kept;
  for (std::size_t row = 0; row < all.weight.size(); ++row) {
    if (all.weight[row] > 0.0F) kept.push_back(static_cast<std::int64_t>(row));
  }
  return kept.size() == all.weight.size() ? all : take(all, kept);
}

// A share of the rows to watch, of every class alike.
void split_off(TrainingData& data, double share, std::uint64_t seed) {
  const LabelledRows all = std::move(data.train);
  const bool classes = data.task.classification();
  const std::vector<std::int32_t> label(all.label.begin(),
                                        classes ? all.label.end() : all.label.begin());
  const auto split = classes ? data::split_stratified(label, share, seed)
                             : data::split_rows(all.rows(), share, seed);
  data.train = take(all, split.train);
  data.valid = take(all, split.valid);
  const auto& left = data.train.label;
  const bool one_class = std::ranges::count(left, left.front()) == std::ssize(left);
  GRADATIM_CHECK(!classes || !one_class, DataError, 2022,
                 "a validation share of {} leaves only rows of the class '{}' to learn from; give "
                 "more rows or a smaller share",
                 number_text(share), data.task.classes[static_cast<std::size_t>(left.front())]);
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
  rows.weight = data::read_weights(table, weight);
  for (const auto& target : targets) {
    const auto label = read_labels(table, table.column(target), task, rows.weight);
    rows.label.insert(rows.label.end(), label.begin(), label.end());
  }
  for (const auto& name : base_margin) {
    rows.base_margin.push_back(read_margins(table, name, rows.weight));
  }
  rows.features = table;
  for (const auto& target : targets) rows.features = rows.features.without(target);
  if (!weight.empty()) rows.features = rows.features.without(weight);
  for (const auto& name : base_margin) rows.features = rows.features.without(name);
  return without_weightless(std::move(rows));
}

std::vector<double> exact_labels(const Table& table, const Task& task,
                                 const std::vector<std::string>& targets) {
  std::vector<double> labels;
  for (const auto& target : targets) {
    const auto label = read_labels(table, table.column(target), task);
    labels.insert(labels.end(), label.begin(), label.end());
    if (task.classification()) continue;
    const auto cells = read_all(table.column(target));
    std::ranges::copy(cells, labels.end() - std::ssize(cells));
  }
  return labels;
}

TrainingData prepare(const data::FitRequest& request, TaskHint wants) {
  if (request.group && request.group->size() > 1) return prepare_shard(request, wants);
  TrainingData data;
  check_features(request, request.table);
  if (request.valid) check_features(request, *request.valid);
  const Table targets = targets_of(request);
  data.task = find_task(request, targets, wants);
  warn_of_lost_digits(request, targets, data.task);
  const auto label = [&](const Table& table) {
    return label_rows(table, data.task, request.target_names(), request.weight,
                      request.base_margin);
  };
  data.train = label(request.table);
  if (request.valid) {
    data::weighing_rows(*request.valid, request.weight);
    data.valid = label(*request.valid);
  } else if (request.valid_fraction > 0.0) {
    split_off(data, request.valid_fraction, request.seed);
  }
  return data;
}

}  // namespace gradatim::boost
