// A fit over shared rows that learns from some of them and watches the others, round by round.
//
// Bins are chosen on all rows: they see features and no target, so nothing of the held-out labels
// leaks; what a fold would choose on its own differs by a few boundaries. Base score and gradients
// see the learning rows alone.
#pragma once

#include <memory>
#include <vector>

#include "gradatim/boost/ensemble/additive_data.h"
#include "gradatim/boost/ensemble/additive_fit.h"

namespace gradatim::boost {

std::shared_ptr<const data::PreparedData> prepare_additive(const Loss* loss, const Learner& learner,
                                                           const data::FitRequest& request);

/// `data` is what prepare_additive() gave; `loss` may be null: by the task.
std::unique_ptr<data::SteppedFit> start_additive(const AdditiveConfig& config,
                                                 std::shared_ptr<const Loss> loss,
                                                 std::shared_ptr<const Learner> learner,
                                                 std::shared_ptr<const data::PreparedData> data,
                                                 const data::FitRequest& request,
                                                 std::vector<std::uint8_t> held_out);

}  // namespace gradatim::boost
