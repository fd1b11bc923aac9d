// What guides samples of a saved model beside its own labels: a classifier, or a reference image.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/guidance.h"

namespace gradatim::cli {

struct Guide {
  std::shared_ptr<const process::Energy> energy;  // null: nothing guides
  // Of a classifier: the labels that it leads to, which the field is then not asked for.
  std::vector<std::int64_t> labels;
  std::vector<std::string> classes;  // of the labels
};

/// Whether the options name a guide.
bool has_guide(const Arguments& arguments);

/// The options of a sampler that hears the guide. "--guidance 3" is guidance by it of that weight,
/// no such option is weight 1, and another kind of guidance stays as it is.
std::vector<api::Option> with_guide(std::vector<api::Option> options, const Arguments& arguments);

/// The guide that `--classifier` or `--match` names, for `rows` samples on `path`. UsageError
/// GRD-1010 without --label, GRD-1002 for both, GRD-1104 for an unknown label, GRD-1171 to GRD-1174
/// and DataError GRD-2090 where it does not suit the model.
Guide guide_of(const process::Generator& generator, const Arguments& arguments, Session& session,
               std::shared_ptr<const process::Path> path, std::int64_t rows);

}  // namespace gradatim::cli
