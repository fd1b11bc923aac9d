// Sampling and densities of a saved model that is a Generator.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/sample.h"

namespace gradatim::cli {

/// The model as a generator, or null where it is none.
const process::Generator* generator_of(const data::Model& model);

/// The sampler of these options where the generator's own path and prediction stand for what they
/// do not name. UsageError GRD-1165 for another prediction, which training has fixed.
api::Settings sampler_for(const process::Generator& generator,
                          const std::vector<api::Option>& options);

/// Places of the words of an option among `classes`, which are `whose`: none, one for all rows, or
/// one a row, in turn. UsageError GRD-1104 where there is no such label.
std::vector<std::int64_t> places_named(std::span<const std::string> classes, std::string_view whose,
                                       const Arguments& arguments, std::string_view option,
                                       std::int64_t rows);

/// The samples that an option names, as states. DataError GRD-2090 where their shape is another.
std::vector<double> states_of(const process::Generator& generator, const Arguments& arguments,
                              Session& session, std::string_view option);

/// One condition or one a row, in turn, by their words or places; null where none is named.
/// UsageError GRD-1104 where the model knows no such label.
process::ConditionPtr labels_named(const process::Generator& generator, const Arguments& arguments,
                                   std::string_view option, std::int64_t rows);

/// `--count` samples as the options ask for, in the scale of the data.
data::Samples generate(const process::Generator& generator, const Arguments& arguments,
                       Session& session, const std::vector<api::Option>& options);

}  // namespace gradatim::cli
