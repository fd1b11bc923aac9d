// -sum w ln p_y / sum w.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

double log_loss(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const double p = input.prediction[row * input.columns + input.true_class(row)];
    // The smallest double above 0 bounds the loss of a sure and wrong answer.
    return -math::log(std::max(p, 2.2250738585072014e-308));
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.log_loss",
    .summary = "Mean negative log-likelihood of the true class, in nats.",
    .source = "Good (1952), Rational decisions",
    .shape = "y_true: [rows]; y_pred: [rows, classes]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "classification usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_log_loss) =
    gradatim::api::function<&gradatim::boost::log_loss>(gradatim::boost::kText);
