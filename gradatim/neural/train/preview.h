// A few samples of a model, for a look at its training.
#pragma once

#include "gradatim/data/samples.h"
#include "gradatim/process/generator.h"

namespace gradatim::neural {

/// 64 samples in 20 steps, of all labels in turn; always the same noise.
data::Samples preview(const process::Generator& generator);

}  // namespace gradatim::neural
