// 2 sum w (ln(f/y) + y/f - 1) / sum w.
#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"
#include "gradatim/boost/metric/deviance.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

double gamma_deviance(const MetricInput& input) {
  return weighted_average(input, [&](std::int64_t row) {
    const auto [y, f] = amounts(input, row, "gamma_deviance");
    GRADATIM_CHECK(y > 0.0, NumericError, 4010,
                   "gamma_deviance needs labels above 0, and row {} has {}", row + 1, y);
    return 2.0 * (math::log(f / y) + y / f - 1.0);
  });
}

constexpr api::Text kText = {
    .name = "boost.metric.gamma_deviance",
    .summary = "Mean deviance of positive amounts from their predicted means.",
    .source = "McCullagh and Nelder (1989), Generalized Linear Models, section 2.3",
    .shape = "y_true > 0: [rows]; y_pred > 0: [rows]",
    .errors = "GRD-4010 no row has a positive weight, a label or a prediction is not above 0",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_gamma_deviance) =
    gradatim::api::function<&gradatim::boost::gamma_deviance>(gradatim::boost::kText);
