// 1 - sum w (f - y)^2 / sum w (y - mean)^2.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double r2(const MetricInput& input) {
  const double mean =
      weighted_average(input, [&](std::int64_t row) { return double{input.label[row]}; });
  const double spread = weighted_average(input, [&](std::int64_t row) {
    const double d = double{input.label[row]} - mean;
    return d * d;
  });
  const double error = weighted_average(input, [&](std::int64_t row) {
    const double r = input.prediction[row] - double{input.label[row]};
    return r * r;
  });
  if (spread > 0.0) return 1.0 - error / spread;
  return error > 0.0 ? 0.0 : 1.0;  // a constant target: right or not
}

constexpr api::Text kText = {
    .name = "boost.metric.r2",
    .summary = "Coefficient of determination: the share of the variance that is explained.",
    .source = "Draper and Smith (1998), Applied Regression Analysis, chapter 1",
    .shape = "y_true: [rows]; y_pred: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "maximise regression usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_r2) =
    gradatim::api::function<&gradatim::boost::r2>(gradatim::boost::kText);
