// sum w |f - y| / max(|y|, 2^-52) / sum w.
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

double mape(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const double y = input.label[row];
    return std::abs(input.prediction[row] - y) / std::max(std::abs(y), 0x1p-52);
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.mape",
    .summary = "Mean absolute error as a share of the label; a label of 0 makes it huge.",
    .source =
        "de Myttenaere, Golden, Le Grand and Rossi (2016), Mean absolute percentage error for "
        "regression models",
    .shape = "y_true: [rows]; y_pred: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_mape) =
    gradatim::api::function<&gradatim::boost::mape>(gradatim::boost::kText);
