// 2 sum w (y^(2-p) / ((1-p) (2-p)) - y f^(1-p) / (1-p) + f^(2-p) / (2-p)) / sum w.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/boost/metric/deviance.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct Power {
  double power = 1.5;
};

double power_of(double x, double exponent) {
  return x > 0.0 ? math::exp(exponent * math::log(x)) : 0.0;
}

double tweedie_deviance(const MetricInput& input, const Power& config) {
  const double a = 1.0 - config.power;
  const double b = 2.0 - config.power;
  return weighted_average(input, [&](std::int64_t row) {
    const auto [y, f] = amounts(input, row, "tweedie_deviance");
    return 2.0 * (power_of(y, b) / (a * b) - y * power_of(f, a) / a + power_of(f, b) / b);
  });
}

constexpr api::Setting kSettings[] = {
    api::setting<&Power::power>(
        {.doc =
             "The variance is the mean to this power; that of the model's own loss where that is "
             "boost.loss.tweedie.",
         .range = api::strictly_between(1.0, 2.0)}),
};

constexpr api::Text kText = {
    .name = "boost.metric.tweedie_deviance",
    .summary = "Mean deviance of totals that are often 0 from their predicted means.",
    .source = "Jorgensen (1987), Exponential dispersion models",
    .shape = "y_true >= 0: [rows]; y_pred > 0: [rows]",
    .errors =
        "GRD-4010 no row has a positive weight, a label is negative or a prediction not above 0",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_tweedie_deviance) =
    gradatim::api::function<&gradatim::boost::tweedie_deviance>(gradatim::boost::kText,
                                                                gradatim::boost::kSettings);
