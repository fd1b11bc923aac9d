// Sampling of a saved model that is a Generator, as the options ask for it.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/generator.h"

namespace gradatim::cli {

/// Whether a name is that of a model file: by its ending or its being there. Anything else is an
/// oracle's.
bool is_file(const std::string& name);

/// The model as a generator, or null where it is none.
const process::Generator* generator_of(const data::Model& model);

/// `--count` samples as the options ask for, in the scale of the data.
data::Samples generate(const process::Generator& generator, const Arguments& arguments,
                       Session& session, const std::vector<api::Option>& options);

}  // namespace gradatim::cli
