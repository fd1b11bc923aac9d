// -sum w ln p_y / sum w; of several targets, the chances of classes, -sum w sum_k y_k ln p_k / sum
// w.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

// The smallest double above 0 bounds the loss of a sure and wrong answer.
double cost(double p) { return -math::log(std::max(p, 2.2250738585072014e-308)); }

double log_loss(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const auto p = input.prediction.subspan(row * input.columns, input.columns);
    if (input.targets == 1) return cost(p[input.true_class(row)]);
    double sum = 0.0;
    for (int k = 0; k < input.targets; ++k) {
      const double y = input.label[k * input.rows() + row];
      if (y > 0.0) sum += y * cost(p[k]);
    }
    return sum;
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.log_loss",
    .summary = "Mean negative log-likelihood of the true class, in nats.",
    .source = "Good (1952), Rational decisions",
    .shape = "y_true: [rows], or chances [rows, classes]; y_pred: [rows, classes]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "classification joint usual",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_log_loss) =
    gradatim::api::function<&gradatim::boost::log_loss>(gradatim::boost::kText);
