// sum w sum_k (q_k (y - f_k)+ + (1 - q_k) (f_k - y)+) / (K sum w), the pinball loss of K levels.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

struct Levels {
  api::List<double, 32> levels = {0.5};
};

double quantile(const MetricInput& input, const Levels& config) {
  const auto& levels = config.levels;
  GRADATIM_CHECK(static_cast<std::size_t>(input.columns) == levels.size, NumericError, 4010,
                 "quantile has {} levels and there are {} predictions a row; give a level each",
                 levels.size, input.columns);
  return weighted_average(input, [&](std::int64_t row) {
    double sum = 0.0;
    for (std::size_t k = 0; k < levels.size; ++k) {
      const double r = double{input.label[row]} - input.prediction[row * input.columns + k];
      sum += r > 0.0 ? levels[k] * r : (levels[k] - 1.0) * r;
    }
    return sum / static_cast<double>(levels.size);
  });
}

constexpr api::Setting kSettings[] = {
    api::setting<&Levels::levels>(
        {.doc =
             "The level of each prediction of a row; those of the model's own loss where that is "
             "boost.loss.quantile.",
         .range = api::strictly_between(0.0, 1.0),
         .alias = "level"}),
};

constexpr api::Text kText = {
    .name = "boost.metric.quantile",
    .summary = "Mean pinball loss, over rows and levels.",
    .source = "Koenker and Bassett (1978), Regression quantiles",
    .shape = "y_true: [rows]; y_pred: [rows] or [rows, levels]",
    .errors =
        "GRD-4010 no row has a positive weight, or the levels are not as many as the predictions",
    .tags = "regression many",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_quantile) = gradatim::api::function<&gradatim::boost::quantile>(
    gradatim::boost::kText, gradatim::boost::kSettings);
