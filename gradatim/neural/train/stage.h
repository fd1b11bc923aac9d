// A training that follows another one of the same model: where it keeps its checkpoint and its log,
// and what it leaves in the history.
#pragma once

#include <string>

#include "gradatim/neural/train/loop.h"

namespace gradatim::neural {

/// The same request with checkpoints and logs in folders of that name within its own.
data::FitRequest request_of_stage(data::FitRequest request, const std::string& stage);
/// What a stage's training must have in common with its checkpoint, beside `identity`: the numbers
/// that earlier stages gave it to learn from.
data::Identity identity_of_stage(data::Identity identity, std::uint64_t learned_from);
/// Whether a fit can go on from its folder whose earlier stage has these settings: UsageError
/// GRD-1212 where that ends by a clock, behind which the next would learn from something else.
void check_goes_on(const data::FitRequest& request, const api::Settings& stage);
/// Appends the histories under names that begin with the stage's.
void add_history(const std::string& stage, std::vector<data::History> histories,
                 data::ModelCard& card);

}  // namespace gradatim::neural
