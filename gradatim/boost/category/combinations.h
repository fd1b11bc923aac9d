// Which columns and combinations of columns are worth a target statistic.
//
// Every choice is by what ordered statistics explain of targets that they have not seen, so that
// nothing is chosen for fitting its own rows. A single feature must explain two thousandths of the
// target's variance, a combination one thousandth more than its parts do together: the best pair is
// taken, and then the two best triples around it (CatBoost's greedy feature combinations, chosen
// once and not for each tree). A combination of more cells than rows says too little of each and is
// not tried.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/category/coded_feature.h"
#include "gradatim/boost/category/ordered_statistics.h"

namespace gradatim::boost {

enum class TargetStatisticsMode { none, columns, combinations };

struct TargetStatisticsConfig {
  TargetStatisticsMode mode = TargetStatisticsMode::none;
  std::int32_t high_cardinality = 256;  // from so many categories on a column has its own statistic
  double prior_weight = 1.0;

  bool on() const { return mode != TargetStatisticsMode::none; }
};

/// Features, ascending, that one statistic is taken over: positions in a list of coded features.
using FeatureSet = std::vector<std::int32_t>;

/// Cells of the features together.
std::int64_t cells_of(std::span<const CodedFeature> features, const FeatureSet& set);
/// The place of a row's codes among them; -1 where one is -1.
inline std::int64_t combine(std::int64_t code, std::int32_t next, std::int64_t cells) {
  return code < 0 || next < 0 ? -1 : code * cells + next;
}

/// `codes` are of each feature, in the order of the target's rows. A combination lies within one of
/// `groups` of the data's features (ascending), where there are any.
std::vector<FeatureSet> choose_sets(const TargetStatisticsConfig& config,
                                    const BlockedTarget& target,
                                    std::span<const CodedFeature> features,
                                    std::span<const std::vector<std::int32_t>> codes,
                                    std::span<const std::vector<std::int32_t>> groups);

/// The codes of a set.
BlockedCodes codes_of_set(std::span<const CodedFeature> features,
                          std::span<const std::vector<std::int32_t>> codes, const FeatureSet& set);

}  // namespace gradatim::boost
