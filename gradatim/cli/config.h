// A TOML file that says what options say.
//
//   model = "boost.newton"        # what stands behind `train`
//   data = "flights.csv"
//   n_estimators = 200
//   metric = ["log_loss", "auc"]
//   [learner]                     # a part; `learner = "stump"` where it needs no settings
//   component = "tree"
//   max_depth = 8
#pragma once

#include <string>
#include <vector>

#include "gradatim/api/settings.h"

namespace gradatim::cli {

/// The keys as options would say them: ("learner", "tree"), ("learner.max_depth", "8"). UsageError
/// GRD-1011 with line and column where the file is not TOML or holds what no option can say.
std::vector<api::Option> read_config(const std::string& path);
/// A file that read_config gives back as these settings: the model, and what differs from defaults.
std::string config_text(const api::Settings& settings);

}  // namespace gradatim::cli
