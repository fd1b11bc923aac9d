// Samples as the options of a verb name them for a saved model: --data, --label, --given.
#pragma once

#include <string>
#include <vector>

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/flow.h"

namespace gradatim::cli {

/// The model as a flow with an exact density, or null where it is none.
const process::Flow* flow_of(const data::Model& model);

/// Reads `--data`; of a flow that is given columns, those are taken out.
data::Samples read_model_samples(const data::Model& model, const Arguments& arguments,
                                 Session& session, const std::string& label);

struct LabelledSamples {
  data::Samples samples;
  std::vector<std::string> labels;  // none, one for all, or one a sample
};
/// The same, where `--label` is one of the model's labels or else where the data hold theirs.
LabelledSamples read_labelled(const data::Model& model, const process::SampleSpace& space,
                              const Arguments& arguments, Session& session);

/// What a flow is asked for samples that were read.
process::FlowRequest flow_request(const process::Flow& flow, const LabelledSamples& read,
                                  std::uint64_t seed);

/// `--given A=1.5,B=2`, in the order of the flow's columns. UsageError GRD-1192 where one is
/// missing or is none of them.
std::vector<double> given_numbers(const process::Flow& flow, const Arguments& arguments);

}  // namespace gradatim::cli
