// -sum w (y ln p + (1 - y) ln(1 - p)) / sum w.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

// A share of zero costs nothing, however unlikely.
double cost(double share, double p) {
  // The smallest double above 0 bounds the loss of a sure and wrong answer.
  return share > 0.0 ? -share * math::log(std::max(p, 2.2250738585072014e-308)) : 0.0;
}

double cross_entropy(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const double y = input.label[row];
    const double p = input.prediction[row];
    return cost(y, p) + cost(1.0 - y, 1.0 - p);
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.cross_entropy",
    .summary = "Mean negative log-likelihood of labels that are probabilities, in nats.",
    .source = "Good (1952), Rational decisions",
    .shape = "y_true in [0, 1]: [rows]; y_pred in [0, 1]: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_cross_entropy) =
    gradatim::api::function<&gradatim::boost::cross_entropy>(gradatim::boost::kText);
