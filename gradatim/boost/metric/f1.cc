// 2 TP / (2 TP + FP + FN): of the second class where there are two, else the mean over the classes
// that occur, among labels or predictions.
#include <vector>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/metric.h"
#include "gradatim/core/exact_sum.h"

namespace gradatim::boost {
namespace {

double f1(const MetricInput& input) {
  struct Counts {
    ExactSum hits, claimed, actual;
  };
  std::vector<Counts> classes(input.columns);
  for (std::int64_t row = 0; row < input.rows(); ++row) {
    const int actual = input.true_class(row);
    const int claimed = input.predicted_class(row);
    const double w = input.weight_of(row);
    classes[actual].actual.add(w);
    classes[claimed].claimed.add(w);
    if (actual == claimed) classes[actual].hits.add(w);
  }
  auto score = [](const Counts& c) {
    const double all = c.claimed.value() + c.actual.value();
    return all > 0.0 ? 2.0 * c.hits.value() / all : 0.0;
  };
  auto occurs = [](const Counts& c) { return c.claimed.value() + c.actual.value() > 0.0; };
  if (input.columns == 2) return score(classes[1]);
  double sum = 0.0;
  int count = 0;
  for (const auto& c : classes) {
    sum += score(c);
    count += occurs(c) ? 1 : 0;
  }
  return count > 0 ? sum / count : 0.0;
}

constexpr api::Text kText = {
    .name = "boost.metric.f1",
    .summary = "Harmonic mean of precision and recall.",
    .detail =
        "Of the second class where there are two, otherwise the unweighted mean over the classes "
        "that occur among labels or predictions.",
    .source = "van Rijsbergen (1979), Information Retrieval, chapter 7",
    .shape = "y_true: [rows]; y_pred: [rows, classes]",
    .errors = "GRD-4010 a label has no column of predictions",
    .tags = "maximise classification usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_f1) =
    gradatim::api::function<&gradatim::boost::f1>(gradatim::boost::kText);
