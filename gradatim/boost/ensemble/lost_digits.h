// Words of warning where numbers of a table have more digits than are kept of them.
#pragma once

#include "gradatim/boost/task.h"
#include "gradatim/data/model.h"

namespace gradatim::boost {

/// Whether float32 rounds a target by more than a thousandth of what it spreads by.
bool loses_digits(const data::Column& target);
/// Tells the request's observer of targets that lose digits, and of integers of features that
/// doubles round.
void warn_of_lost_digits(const data::FitRequest& request, const Task& task);

}  // namespace gradatim::boost
