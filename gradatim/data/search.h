// A small search for settings: random draws from ranges that are written down here, and successive
// halving, which gives more rounds to the third that did best.
//
//   learning_rate 0.01 to 0.5 (log), subsample 0.5 to 1, and of the learner, where it has them:
//   max_depth 2 to 10, min_child_weight 0.1 to 20 (log), reg_lambda 0.01 to 100 (log),
//   colsample_bytree 0.5 to 1
//
// Settings that the caller gives are not drawn. Trial 1 draws nothing: what a search gains can be
// read from its table. The score is the best value of the first metric on rows that no trial learns
// from; being the best of many, the winner's is an optimistic estimate. Rows are prepared once.
// Bergstra and Bengio (2012), Random search for hyper-parameter optimization; Jamieson and
// Talwalkar (2016), Non-stochastic best arm identification. Not Bayesian, and not for bins.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gradatim/data/model.h"

namespace gradatim::data {

struct SearchOptions {
  std::int64_t trials = 30;
  double held_out = 0.2;  // share of the rows that judges
};

struct Trial {
  std::int64_t number = 0;         // from 1
  std::vector<api::Option> drawn;  // what it drew
  std::int64_t rounds = 0;         // that it was given
  double score = 0.0;              // the best value within these rounds
  std::int64_t best_round = 0;
  api::Settings settings;  // with n_estimators at the best round
};

struct SearchResult {
  std::string metric;
  std::vector<Trial> trials;  // the best first: by rounds given, then by score
};

/// `given` are the caller's settings; the full number of rounds is their n_estimators. UsageError
/// GRD-1036 where the model's rows cannot be shared, GRD-1039 where nothing is left to draw.
SearchResult search(const api::Settings& given, const FitRequest& request,
                    const SearchOptions& options);

}  // namespace gradatim::data
