// Rows of two classes in groups of equal scores: what ranking metrics count.
#pragma once

#include <string_view>
#include <vector>

#include "gradatim/boost/metric/metric.h"

namespace gradatim::boost {

/// The weight of each class in the rows that share one score.
struct ScoreGroup {
  double negative = 0.0;
  double positive = 0.0;
};

/// Groups by ascending score of the second class. NumericError GRD-4010 where there are more than
/// two classes, a score is no number, or one of the classes has no weight.
std::vector<ScoreGroup> score_groups(const MetricInput& input, std::string_view metric);

}  // namespace gradatim::boost
