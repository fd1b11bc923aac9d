// The chance that a row of the second class scores above a row of the first, ties counting half.
//
// Rows are sorted by score; for each group of equal scores the weight of the first class below it
// (and half of that within it) is multiplied by the group's weight of the second class.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/metric.h"
#include "gradatim/core/error.h"
#include "gradatim/core/exact_sum.h"

namespace gradatim::boost {
namespace {

double auc(const MetricInput& input) {
  if (input.columns > 2) throw NumericError(4010, "auc is defined for two classes");
  struct Scored {
    double score;
    double weight;
    bool positive;
  };
  std::vector<Scored> rows(input.label.size());
  for (std::int64_t row = 0; row < input.rows(); ++row) {
    const double score = input.prediction[row * input.columns + input.columns - 1];
    if (score != score) throw NumericError(4010, "auc cannot rank a score that is not a number");
    rows[row] = {score, input.weight_of(row), input.label[row] > 0.5F};
  }
  std::sort(rows.begin(), rows.end(), [](const Scored& a, const Scored& b) {
    if (a.score != b.score) return a.score < b.score;
    if (a.positive != b.positive) return !a.positive;
    return a.weight < b.weight;
  });
  ExactSum area;
  double below = 0.0;
  double positives = 0.0;
  for (std::size_t i = 0; i < rows.size();) {
    double negative_here = 0.0;
    double positive_here = 0.0;
    const double score = rows[i].score;
    for (; i < rows.size() && rows[i].score == score; ++i) {
      (rows[i].positive ? positive_here : negative_here) += rows[i].weight;
    }
    area.add(positive_here * (below + 0.5 * negative_here));
    below += negative_here;
    positives += positive_here;
  }
  if (!(below > 0.0 && positives > 0.0)) {
    throw NumericError(4010, "auc needs rows of both classes, and only one is there");
  }
  return area.value() / (below * positives);
}

constexpr api::Text kText = {
    .name = "boost.metric.auc",
    .summary = "Area under the ROC curve of two classes.",
    .source = "Hanley and McNeil (1982), The meaning and use of the area under a ROC curve",
    .shape = "y_true in {0, 1}: [rows]; y_pred: [rows] or [rows, 2]",
    .errors = "GRD-4010 only one class is there, or more than two",
    .tags = "maximise binary",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_auc) =
    gradatim::api::function<&gradatim::boost::auc>(gradatim::boost::kText);
