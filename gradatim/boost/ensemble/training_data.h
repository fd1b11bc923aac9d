// What every ensemble does before its first round: takes a request apart into features, labels,
// weights and starting scores, for training and for validation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/boost/task.h"
#include "gradatim/data/model.h"
#include "gradatim/dist/shard.h"

namespace gradatim::boost {

/// Rows that are learned from or watched.
struct LabelledRows {
  data::Table features;
  std::vector<float> label;                      // [targets][rows]: a number, or a class's index
  std::vector<float> weight;                     // empty: all 1
  std::vector<std::vector<double>> base_margin;  // [outputs][rows], or empty
  int targets = 1;
  // Where several ranks learn together: what the rows are of, and labels, weights and margins of
  // all of them. The features of `whole` are none of the table's.
  dist::Shard shard = {};
  std::shared_ptr<LabelledRows> whole = nullptr;

  std::int64_t rows() const { return features.rows(); }
  /// What all ranks' rows are asked by: labels, weights and margins.
  const LabelledRows& all() const { return whole ? *whole : *this; }
  /// This rank's part of what is [rows] of all ranks.
  template <class T>
  std::vector<T> own_part(std::span<const T> of_all) const {
    const auto own = of_all.subspan(shard.first_row, rows());
    return {own.begin(), own.end()};
  }
};

struct TrainingData {
  Task task;
  LabelledRows train;
  std::optional<LabelledRows> valid;
};

/// `wants` is what the loss asks for; automatic lets the target decide: categories and booleans are
/// classes, so are integers that are all 0 or 1. Rows of weight zero are dropped, of those to watch
/// too. A share to watch is split off as data/split.h has it, of every class alike. DataError
/// GRD-2018 (nothing left after a split), GRD-2021 (a missing label), GRD-2022 (one class),
/// GRD-2023 (a negative or missing weight), GRD-2024 (an infinite label), GRD-2028 (a base margin
/// that is not finite).
/// Several targets are numbers (GRD-1027 where classes are wanted, or one is named twice).
/// Where several ranks learn together, the request's tables are parts of what all of them learn
/// from, and the answer is the same as from the whole.
TrainingData prepare(const data::FitRequest& request, data::TaskHint wants);
/// UsageError GRD-1027 where several targets were named for a model that learns one.
void require_one_target(const data::FitRequest& request, std::string_view model);

/// Labels, weights and margins of other rows of the same task (evaluation), less the rows of weight
/// zero. A class that the task does not know is an error, GRD-2026.
LabelledRows label_rows(const data::Table& table, const Task& task,
                        const std::vector<std::string>& targets, const std::string& weight,
                        const std::vector<std::string>& base_margin);

/// Labels [targets][rows]: classes' indices, or numbers as they are in the table.
std::vector<double> exact_labels(const data::Table& table, const Task& task,
                                 const std::vector<std::string>& targets);

}  // namespace gradatim::boost
