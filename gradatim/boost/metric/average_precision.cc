// sum_n (R_n - R_{n-1}) P_n over thresholds n from the highest score down, R recall and P precision
// of the rows at or above it: the area under the precision-recall curve by steps, not trapezoids.
#include <ranges>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/ranking.h"
#include "gradatim/core/exact_sum.h"

namespace gradatim::boost {
namespace {

double average_precision(const MetricInput& input) {
  ExactSum area;
  double claimed = 0.0;
  double hits = 0.0;
  for (const ScoreGroup& here : std::views::reverse(score_groups(input, "average_precision"))) {
    claimed += here.negative + here.positive;
    hits += here.positive;
    if (here.positive > 0.0) area.add(here.positive * (hits / claimed));
  }
  return area.value() / hits;
}

constexpr api::Text kText = {
    .name = "boost.metric.average_precision",
    .aliases = "boost.metric.aucpr",
    .summary = "Area under the precision-recall curve of two classes, by steps.",
    .source = "Manning, Raghavan and Schuetze (2008), Introduction to Information Retrieval, 8.4",
    .shape = "y_true in {0, 1}: [rows]; y_pred: [rows] or [rows, 2]",
    .errors = "GRD-4010 only one class is there, or more than two",
    .tags = "maximise binary",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_average_precision) =
    gradatim::api::function<&gradatim::boost::average_precision>(gradatim::boost::kText);
