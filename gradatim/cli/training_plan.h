// What a training run is to do, from the command line and the configuration file.
#pragma once

#include "gradatim/api/settings.h"
#include "gradatim/cli/cli.h"

namespace gradatim::cli {

struct TrainingPlan {
  Arguments arguments;     // of the command line, and of the file where that is silent
  api::Settings settings;  // of the model
};

/// UsageError with the nearest name for a model or an option that there is not, of ours or of the
/// model's; GRD-1010 where no model is named.
TrainingPlan plan_training(const Arguments& given);

}  // namespace gradatim::cli
