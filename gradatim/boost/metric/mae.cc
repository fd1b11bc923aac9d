// sum w |f - y| / sum w.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double mae(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    return std::abs(input.prediction[row] - double{input.label[row]});
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.mae",
    .summary = "Mean absolute error.",
    .source =
        "Hastie, Tibshirani and Friedman (2009), The Elements of Statistical Learning, section 2.4",
    .shape = "y_true: [rows]; y_pred: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "regression usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_mae) =
    gradatim::api::function<&gradatim::boost::mae>(gradatim::boost::kText);
