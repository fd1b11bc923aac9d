// What the verbs do with a saved model that has discrete codes.
#pragma once

#include "gradatim/cli/cli.h"
#include "gradatim/cli/session.h"
#include "gradatim/data/model.h"
#include "gradatim/data/samples.h"
#include "gradatim/process/coder.h"

namespace gradatim::cli {

/// The model as one with discrete codes, or null where it is none.
const process::Coder* coder_of(const data::Model& model);

/// `--count` samples, by the prior as the options ask for.
data::Samples sample_codes(const process::Coder& coder, const Arguments& arguments,
                           Session& session);
/// Codes of `--data`, or the samples of such codes.
data::Samples encode_codes(const data::Model& model, const process::Coder& coder, bool encode,
                           const Arguments& arguments, Session& session);
/// The bound of ln p of `--data`.
process::Likelihood bound_of(const data::Model& model, const process::Coder& coder,
                             const Arguments& arguments, Session& session);

}  // namespace gradatim::cli
