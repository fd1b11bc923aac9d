// sum w sum_k (p_k - [y = k])^2 / sum w, of two classes halved: (p - y)^2.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double brier(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const int actual = input.true_class(row);
    double sum = 0.0;
    for (int k = input.columns == 2 ? 1 : 0; k < input.columns; ++k) {
      const double d = input.prediction[row * input.columns + k] - (k == actual ? 1.0 : 0.0);
      sum += d * d;
    }
    return sum;
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.brier",
    .summary = "Mean squared error of the probabilities; of two classes, of the second alone.",
    .source = "Brier (1950), Verification of forecasts expressed in terms of probability",
    .shape = "y_true: [rows]; y_pred: [rows, classes]",
    .errors = "GRD-4010 no row has a positive weight, or a label has no column of predictions",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_brier) =
    gradatim::api::function<&gradatim::boost::brier>(gradatim::boost::kText);
