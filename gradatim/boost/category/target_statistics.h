// TargetStatistics: what a fitted model keeps of the target statistics that it was trained with.
//
// Further numeric features stand behind the model's own, a column a set of features and lane of the
// target. In a row they are looked up by the codes of the set's features: a category or combination
// that training did not see has the mean of the target, a missing cell is a category of its own.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/category/combinations.h"
#include "gradatim/boost/task.h"
#include "gradatim/core/safetensors.h"
#include "gradatim/data/schema.h"
#include "gradatim/data/table.h"

namespace gradatim::boost {

struct TargetStatistics {
  std::vector<CodedFeature> coded;
  std::vector<FeatureSet> sets;             // of positions in `coded`
  std::vector<std::vector<double>> tables;  // of each set: [cells + 1][lanes], last the mean
  int lanes = 1;
  double prior_weight = 1.0;
  std::uint64_t rows_hash = 0;  // of the rows that they were taken from

  std::int64_t columns() const { return static_cast<std::int64_t>(sets.size()) * lanes; }
  /// The features of the model that each column is made from.  // [columns]
  std::vector<std::vector<std::int32_t>> sources() const;
  /// Of each column, as in "mean of late by tailnum".
  std::vector<std::string> names(const data::Schema& schema, const Task& task,
                                 const std::vector<std::string>& targets) const;
  /// Columns of a table in which the model's features are found by name. `schema` is the model's.
  std::vector<data::Column> columns_of(const data::Table& table, const data::Schema& schema) const;
  /// The columns of one row of the model's features, appended to it.
  void append(std::vector<double>& row) const;

  void store(SafetensorsWriter& file) const;
};

/// The codes of a set's cell or -1, from those of its features.
std::int64_t cell_of(std::span<const CodedFeature> coded, const FeatureSet& set,
                     std::span<const std::int32_t> codes);

/// Whether a model file has statistics.
bool has_statistics(const SafetensorsFile& file);
/// ModelError GRD-3050 where they contradict each other, the schema or the task.
TargetStatistics load_statistics(const SafetensorsFile& file, const data::Schema& schema,
                                 const Task& task);

}  // namespace gradatim::boost
