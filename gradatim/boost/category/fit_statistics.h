// Target statistics of the rows of a fit.
//
// The rows that are learned from have ordered statistics, all others those over the whole of them.
// A fit that goes on from a model keeps the model's statistics, since its trees ask about them: on
// the model's own rows they are ordered anew, which gives the very values of the first fit; any
// other rows are looked up like rows to predict.
//
// Predictions need not rise or fall with a feature that a statistic is taken over, so none is taken
// over one that must be monotone; features that may not meet on a path are not combined.
#pragma once

#include <memory>
#include <vector>

#include "gradatim/boost/category/target_statistics.h"

namespace gradatim::boost {

struct FeatureRules;  // tree/growth.h

struct StatisticsRequest {
  const TargetStatisticsConfig& config;
  const Task& task;
  const data::Table& features;
  const FeatureRules& rules;                 // of these features, which combinations keep to
  std::span<const float> label;              // [targets][rows]
  std::span<const float> weight;             // empty or [rows]
  std::span<const std::uint8_t> held_out;    // empty, or not 0 in rows that are not learned from
  const data::Schema* known = nullptr;       // of a model to go on from
  const TargetStatistics* before = nullptr;  // its statistics, if it has any
  std::uint64_t seed = 0;
};

struct FittedStatistics {
  std::shared_ptr<const TargetStatistics> statistics;  // null where nothing is worth one
  data::Schema schema;                // of the features, with the words that codes are places of
  std::vector<data::Column> columns;  // of every row
};

FittedStatistics fit_statistics(const StatisticsRequest& request);
/// Whether any of the features may have one.
bool may_have_statistics(const TargetStatisticsConfig& config, const data::Table& features);

}  // namespace gradatim::boost
