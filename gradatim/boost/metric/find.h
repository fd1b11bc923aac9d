// Metrics by name, and which of them suit a task.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/metric/metric.h"

namespace gradatim::boost {

/// What metrics are asked about.
struct Scored {
  const Task& task;
  int columns = 1;             // of predictions, a target
  const Loss* loss = nullptr;  // its default metric takes its settings from it
};

/// The metrics of these names (those at the places of `own` are the caller's); none: the usual ones
/// of the task and the loss's. UsageError GRD-1001 for an unknown name, GRD-1025 for one that does
/// not suit, GRD-1042 for two that histories would call the same.
std::vector<std::shared_ptr<const Metric>> find_metrics(
    const std::vector<std::string>& names, const Scored& scored,
    const std::map<std::size_t, api::Made>& own = {});

}  // namespace gradatim::boost
