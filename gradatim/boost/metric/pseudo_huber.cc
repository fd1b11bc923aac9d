// sum w delta^2 (sqrt(1 + u) - 1) / sum w with u = ((f - y)/delta)^2, written as delta^2 u /
// (sqrt(1 + u) + 1), which loses no bits near 0.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/metric/average.h"

namespace gradatim::boost {
namespace {

struct Delta {
  double delta = 1.0;
};

double pseudo_huber(const MetricInput& input, const Delta& config) {
  return weighted_average(input, [&](std::int64_t row) {
    const double r = input.prediction[row] - double{input.label[row]};
    const double u = (r / config.delta) * (r / config.delta);
    return r * r / (std::sqrt(1.0 + u) + 1.0);
  });
}

constexpr api::Setting kSettings[] = {
    api::setting<&Delta::delta>(
        {.doc = "Residual around which the error turns from quadratic to linear; that of the "
                "model's own loss where that is boost.loss.pseudo_huber.",
         .range = api::above(0.0),
         .unit = "label"}),
};

constexpr api::Text kText = {
    .name = "boost.metric.pseudo_huber",
    .summary = "Mean pseudo-Huber error.",
    .source =
        "Charbonnier, Blanc-Feraud, Aubert and Barlaud (1997), Deterministic edge-preserving "
        "regularization in computed imaging",
    .shape = "y_true: [rows]; y_pred: [rows]",
    .errors = "GRD-4010 no row has a positive weight",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_metric_pseudo_huber) =
    gradatim::api::function<&gradatim::boost::pseudo_huber>(gradatim::boost::kText,
                                                            gradatim::boost::kSettings);
