// Cross-validation: a model is fitted as often as there are folds, round by round in step, and each
// fit is judged on the fold that it has not seen.
//
// The rows are prepared once (stepped_fit.h) and not copied. All fits take a round, then the mean
// of the first metric decides whether to go on.
#pragma once

#include <string>
#include <vector>

#include "gradatim/data/model.h"

namespace gradatim::data {

struct FoldOptions {
  int folds = 5;
  bool stratified = false;  // every class spread evenly
  std::string group;        // a column whose equal values stay together; it is no feature
};

struct CrossValidation {
  struct Line {
    std::string metric;
    std::vector<double> mean;       // over the folds, after each round
    std::vector<double> deviation;  // standard deviation, divided by the number of folds
  };
  std::vector<Line> lines;  // the first decides
  std::int64_t rows = 0;
  std::int64_t best_round = 0;  // 1-based
};

/// Rounds at most `n_estimators`; fewer where the settings stop early, by the mean, or after
/// max_seconds of all fits together. The request's
/// validation rows are not used. UsageError GRD-1036 (a model without rounds to share), GRD-1038
/// (stratified and by group, stratified numbers, or groups of the target), DataError GRD-2018
/// (folds that are not possible).
CrossValidation cross_validate(const api::Settings& settings, const FitRequest& request,
                               const FoldOptions& options, const api::OwnParts& own = {});

}  // namespace gradatim::data
