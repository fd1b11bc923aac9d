// The chance that a row of the second class scores above a row of the first, ties counting half.
//
// For each group of equal scores the weight of the first class below it
// (and half of that within it) is multiplied by the group's weight of the second class.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/ranking.h"
#include "gradatim/core/exact_sum.h"

namespace gradatim::boost {
namespace {

double auc(const MetricInput& input) {
  ExactSum area;
  double below = 0.0;
  double positives = 0.0;
  for (const ScoreGroup& here : score_groups(input, "auc")) {
    area.add(here.positive * (below + 0.5 * here.negative));
    below += here.negative;
    positives += here.positive;
  }
  return area.value() / (below * positives);
}

constexpr api::Text kText = {
    .name = "boost.metric.auc",
    .aliases = "boost.metric.roc_auc",
    .summary = "Area under the ROC curve of two classes.",
    .source = "Hanley and McNeil (1982), The meaning and use of the area under a ROC curve",
    .shape = "y_true in {0, 1}: [rows]; y_pred: [rows] or [rows, 2]",
    .errors = "GRD-4010 only one class is there, or more than two",
    .tags = "maximise binary usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_auc) =
    gradatim::api::function<&gradatim::boost::auc>(gradatim::boost::kText);
