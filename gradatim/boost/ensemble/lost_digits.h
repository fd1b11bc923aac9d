// Numbers of a table that have more digits than are kept of them.
#pragma once

#include <span>

#include "gradatim/boost/task.h"
#include "gradatim/data/model.h"

namespace gradatim::boost {

/// Labels of a target as metrics compare them: rounded to float32, as training keeps them, unless
/// that takes more than a thousandth of what they spread by.
void keep_digits(std::span<double> labels);
/// Tells the request's observer of targets that lose so much, and of integers of features that
/// doubles round. `targets`: of the rows that count.
void warn_of_lost_digits(const data::FitRequest& request, const data::Table& targets,
                         const Task& task);

}  // namespace gradatim::boost
