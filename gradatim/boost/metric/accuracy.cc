// sum w [argmax p = y] / sum w.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double accuracy(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    return static_cast<double>(input.predicted_class(row)) == input.label[row] ? 1.0 : 0.0;
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.accuracy",
    .summary = "Share of rows whose likeliest class is the true one.",
    .source = "Sokolova and Lapalme (2009), A systematic analysis of performance measures",
    .shape = "y_true: [rows]; y_pred: [rows, classes]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "maximise classification usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_accuracy) =
    gradatim::api::function<&gradatim::boost::accuracy>(gradatim::boost::kText);
