// sqrt(sum w (f - y)^2 / sum w).
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double rmse(const MetricInput& input) {
  return std::sqrt(weighted_average(input, [&](std::int64_t row) {
    const double r = input.prediction[row] - double{input.label[row]};
    return r * r;
  }));
}

constexpr api::Text kText = {
    .name = "boost.metric.rmse",
    .summary = "Root of the mean squared error.",
    .source =
        "Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, section 2.4",
    .shape = "y_true: [rows]; y_pred: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "regression usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_rmse) =
    gradatim::api::function<&gradatim::boost::rmse>(gradatim::boost::kText);
