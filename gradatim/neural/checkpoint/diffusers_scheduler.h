// A scheduler's configuration of diffusers as a path and a prediction, and back.
//
// Of the many fields only these two matter to a network: how its noised data were made, and what it
// was taught to say of them. Spacing, order and clipping are matters of sampling.
#pragma once

#include <string>

#include "gradatim/api/settings.h"
#include "gradatim/process/path.h"

namespace gradatim::neural {

struct SchedulerParts {
  api::Settings path, prediction;
  double last_time = 0.0;         // that diffusers tells the network where noise is largest
  bool learned_variance = false;  // by the second half of its outputs, between two logarithms
};

/// Of a scheduler_config.json. UsageError GRD-1120 to 1122 where it is none; ModelError GRD-3068
/// where no path of ours has its states or its times.
SchedulerParts read_scheduler(const std::string& config);

/// A scheduler_config.json. `parts`: settings of path and prediction; `clips`: whether data are
/// held in [-1, 1]. ModelError GRD-3068 where no scheduler of diffusers stands for them.
std::string scheduler_config(const SchedulerParts& parts, const process::Path& path, bool clips);

}  // namespace gradatim::neural
