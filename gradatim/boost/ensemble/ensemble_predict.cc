// Prediction by an ensemble: strips of rows through a forest where every member is a tree, else
// blocks of rows through one member after the other. Both add the same numbers in the same order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/boost/ensemble/ensemble_model.h"
#include "gradatim/boost/tree/tree_member.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/text.h"
#include "gradatim/data/check.h"
#include "gradatim/data/convert.h"

namespace gradatim::boost {
namespace {

constexpr std::int64_t kBlockRows = 256;
constexpr int kStateOnStack = 32;

// Strips that a thread takes at a time, so that it makes its buffers once for them.
std::int64_t strips_a_task(std::int64_t rows) { return rows < 64 * kStrip ? 1 : 4; }

}  // namespace

struct EnsembleModel::StripRows {
  StripRows(std::int64_t features, std::size_t sums) : strip(features), state(sums) {}
  Strip strip;
  std::vector<double> state;  // as Forest::at() says
  Forest::Scratch scratch;
};

const Forest* EnsembleModel::forest() const {
  std::call_once(forest_made_, [&] {
    std::vector<const Tree*> trees;
    for (const auto& member : parts_.members) {
      const auto* tree = dynamic_cast<const TreeMember*>(member.get());
      if (tree == nullptr) return;
      trees.push_back(&tree->tree());
    }
    forest_ = std::make_unique<const Forest>(trees);
  });
  return forest_.get();
}

EnsembleModel::Columns EnsembleModel::columns_of(const data::Table& table,
                                                 const data::PredictOptions& options) const {
  Columns columns{.rows = table.rows()};
  for (const auto& feature : card_.features.columns) {
    columns.features.push_back(data::align(table, feature));
  }
  if (parts_.statistics) {
    for (auto& made : parts_.statistics->columns_of(table, card_.features)) {
      columns.features.push_back(std::move(made));
    }
  }
  for (const auto& name : options.base_margin) columns.margins.push_back(table.column(name));
  check_margins(columns.margins.size());
  GRADATIM_CHECK(
      columns.margins.empty() || static_cast<int>(columns.margins.size()) == state_columns(),
      UsageError, 1020, "the model has {} scores a row and {} columns of base margins were named",
      state_columns(), columns.margins.size());
  for (const auto& margin : columns.margins) {
    data::check_numeric(margin, table.source(), "base margins", 2028);
  }
  return columns;
}

// To start from zero instead would be wrong by as much as the rows' scores, and look right.
void EnsembleModel::check_margins(std::size_t given) const {
  GRADATIM_CHECK(given > 0 || card_.base_margin.empty(), UsageError, 1043,
                 "the model was fitted with starting scores ({}) and these rows have none; give "
                 "theirs (base_margin), or zeros",
                 join_and(card_.base_margin));
}

std::vector<double> EnsembleModel::started(const Columns& columns, std::int64_t begin,
                                           std::int64_t rows) const {
  const int width = state_columns();
  std::vector<double> state(rows * width);
  start(rows, state.data());
  std::vector<double> cells(columns.margins.empty() ? 0 : rows);
  for (std::size_t k = 0; k < columns.margins.size(); ++k) {
    columns.margins[k].read(begin, cells);
    for (std::int64_t i = 0; i < rows; ++i) {
      GRADATIM_CHECK(std::isfinite(cells[i]), DataError, 2028,
                     "row {}, column '{}': the base margin is not finite; give every row a number",
                     begin + i + 1, columns.margins[k].name());
      state[i * width + k] += cells[i];
    }
  }
  return state;
}

data::Predictions EnsembleModel::predict(const data::Table& table,
                                         const data::PredictOptions& options) const {
  const Columns columns = columns_of(table, options);
  data::Predictions predictions;
  predictions.columns = prediction_columns(options.kind);
  predictions.values.resize(table.rows() * predictions.columns);
  const std::int64_t used = rounds(options);
  if (const Forest* trees = forest(); trees != nullptr) {
    predict_trees(columns, *trees, used, options.kind, predictions);
  } else {
    predict_members(columns, used, options.kind, predictions);
  }
  return predictions;
}

void EnsembleModel::predict_staged(
    const data::Table& table, const data::PredictOptions& options,
    const std::function<void(std::int64_t, const data::Predictions&)>& stage) const {
  const Columns columns = columns_of(table, options);
  data::Predictions predictions;
  predictions.columns = prediction_columns(options.kind);
  predictions.values.resize(table.rows() * predictions.columns);
  if (const Forest* trees = forest(); trees != nullptr) {
    stage_trees(columns, *trees, options.kind, predictions, stage);
  } else {
    stage_members(columns, options.kind, predictions, stage);
  }
}

std::int64_t EnsembleModel::predict_row(std::span<const double> features, std::span<double> out,
                                        data::PredictKind kind) const {
  const int width = state_columns();
  const int columns = prediction_columns(kind);
  const Forest* trees = forest();
  check_margins(0);
  const bool fits = features.size() == card_.features.columns.size() &&
                    out.size() >= static_cast<std::size_t>(columns);
  if (trees == nullptr || !fits) return Model::predict_row(features, out, kind);
  std::vector<double> extended;  // by target statistics
  if (parts_.statistics) {
    extended.assign(features.begin(), features.end());
    parts_.statistics->append(extended);
    features = extended;
  }
  double few[kStateOnStack];
  std::vector<double> many(width > kStateOnStack ? width : 0);
  double* state = many.empty() ? few : many.data();
  start(1, state);
  accumulate_row(*trees, features.data(), 0, rounds(), state);
  finish(state, 1, rounds(), kind, out.data());
  return columns;
}

// --- trees ---

void EnsembleModel::load(const Columns& columns, const Forest& trees, std::int64_t begin,
                         StripRows& rows) const {
  const auto count = std::min<std::int64_t>(kStrip, columns.rows - begin);
  rows.strip.rows = static_cast<int>(count);
  for (const std::int32_t feature : trees.features()) {
    columns.features[feature].read(begin, rows.strip.column(feature));
  }
  Forest::begin_strip(rows.scratch);
  const std::vector<double> state = started(columns, begin, count);
  const int width = state_columns();
  for (int k = 0; k < width; ++k) {
    for (int i = 0; i < count; ++i) rows.state[trees.at(i, k)] = state[i * width + k];
  }
}

void EnsembleModel::finish_strip(const StripRows& rows, const Forest& trees, std::int64_t rounds,
                                 data::PredictKind kind, double* out) const {
  const int width = state_columns();
  if (width == 1) return finish(rows.state.data(), rows.strip.rows, rounds, kind, out);
  std::vector<double> state(static_cast<std::size_t>(rows.strip.rows) * width);
  for (int k = 0; k < width; ++k) {
    for (int i = 0; i < rows.strip.rows; ++i) state[i * width + k] = rows.state[trees.at(i, k)];
  }
  finish(state.data(), rows.strip.rows, rounds, kind, out);
}

void EnsembleModel::predict_trees(const Columns& columns, const Forest& trees, std::int64_t rounds,
                                  data::PredictKind kind, data::Predictions& predictions) const {
  parallel_for(
      columns.rows, kStrip * strips_a_task(columns.rows),
      [&](std::int64_t begin, std::int64_t end) {
        StripRows rows(static_cast<std::int64_t>(columns.features.size()),
                       trees.sums(state_columns()));
        for (std::int64_t at = begin; at < end; at += kStrip) {
          load(columns, trees, at, rows);
          accumulate_trees({trees, rows.strip, rows.scratch}, 0, rounds, rows.state.data());
          finish_strip(rows, trees, rounds, kind,
                       predictions.values.data() + at * predictions.columns);
        }
      });
}

// Every strip keeps its planes from one round to the next.
void EnsembleModel::stage_trees(const Columns& columns, const Forest& trees, data::PredictKind kind,
                                data::Predictions& predictions, const Stage& stage) const {
  std::vector<StripRows> strips(
      (columns.rows + kStrip - 1) / kStrip,
      StripRows(static_cast<std::int64_t>(columns.features.size()), trees.sums(state_columns())));
  const auto count = static_cast<std::int64_t>(strips.size());
  parallel_tasks(count, [&](std::int64_t s) { load(columns, trees, s * kStrip, strips[s]); });
  for (std::int64_t round = 0; round < rounds(); ++round) {
    check_interrupt();
    parallel_tasks(count, [&](std::int64_t s) {
      StripRows& rows = strips[s];
      accumulate_trees({trees, rows.strip, rows.scratch}, round, round + 1, rows.state.data());
      finish_strip(rows, trees, round + 1, kind,
                   predictions.values.data() + s * kStrip * predictions.columns);
    });
    stage(round + 1, predictions);
  }
}

// --- other members ---

std::int64_t EnsembleModel::block_rows(std::int64_t rows) const {
  const bool whole = !parts_.members.empty() && parts_.members.front()->whole();
  return whole ? std::max<std::int64_t>(1, rows) : kBlockRows;
}

RowBlock EnsembleModel::block_of(const Columns& columns, std::int64_t begin,
                                 std::int64_t rows) const {
  const auto features = static_cast<std::int64_t>(columns.features.size());
  auto owner = std::make_shared<std::vector<double>>(std::max<std::int64_t>(1, rows * features));
  std::vector<double> cells(rows);
  for (std::int64_t c = 0; c < features; ++c) {
    columns.features[c].read(begin, cells);
    for (std::int64_t i = 0; i < rows; ++i) (*owner)[i * features + c] = cells[i];
  }
  const double* values = owner->data();
  return {values, rows, features, std::move(owner)};
}

void EnsembleModel::predict_members(const Columns& columns, std::int64_t rounds,
                                    data::PredictKind kind, data::Predictions& predictions) const {
  parallel_for(columns.rows, block_rows(columns.rows), [&](std::int64_t begin, std::int64_t end) {
    const RowBlock rows = block_of(columns, begin, end - begin);
    std::vector<double> state = started(columns, begin, end - begin);
    for (std::int64_t round = 0; round < rounds; ++round) accumulate(rows, round, state.data());
    finish(state.data(), end - begin, rounds, kind,
           predictions.values.data() + begin * predictions.columns);
  });
}

void EnsembleModel::stage_members(const Columns& columns, data::PredictKind kind,
                                  data::Predictions& predictions, const Stage& stage) const {
  const RowBlock all = block_of(columns, 0, columns.rows);
  std::vector<double> states = started(columns, 0, columns.rows);
  const int width = state_columns();
  for (std::int64_t round = 0; round < rounds(); ++round) {
    check_interrupt();
    parallel_for(columns.rows, block_rows(columns.rows), [&](std::int64_t begin, std::int64_t end) {
      accumulate({all.row(begin), end - begin, all.features, all.owner}, round,
                 states.data() + begin * width);
      finish(states.data() + begin * width, end - begin, round + 1, kind,
             predictions.values.data() + begin * predictions.columns);
    });
    stage(round + 1, predictions);
  }
}

}  // namespace gradatim::boost
