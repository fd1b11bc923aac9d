// 2 sum w (y ln(y/f) - y + f) / sum w.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/boost/metric/deviance.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

double poisson_deviance(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const auto [y, f] = amounts(input, row, "poisson_deviance");
    return 2.0 * ((y > 0.0 ? y * math::log(y / f) : 0.0) - y + f);
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.poisson_deviance",
    .summary = "Mean deviance of counts from their predicted means.",
    .source = "McCullagh and Nelder (1989), Generalized Linear Models, section 2.3",
    .shape = "y_true >= 0: [rows]; y_pred > 0: [rows]",
    .errors =
        "GRD-4010 no row has a positive weight, a label is negative or a prediction not above 0",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_poisson_deviance) =
    gradatim::api::function<&gradatim::boost::poisson_deviance>(gradatim::boost::kText);
