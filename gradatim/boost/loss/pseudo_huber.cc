// L = delta^2 (sqrt(1 + (r/delta)^2) - 1) with r = F - y: g = r / s and h = 1 / s, s = sqrt(1 +
// (r/delta)^2).
//
// h = g / r is the smallest parabola through F that lies above L everywhere, so that no Newton step
// overshoots. The second derivative is 1 / s^3: it vanishes in the tails, where steps built on it
// grow like r^3 (XGBoost's reg:pseudohubererror takes that one, and needs labels scaled to delta).
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"

namespace gradatim::boost {
namespace {

struct PseudoHuber {
  double delta = 1.0;

  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const {
    const double r = score - double{label};
    const double s = std::sqrt(1.0 + (r / delta) * (r / delta));
    return {r / s, 1.0 / s};
  }
};

class PseudoHuberLoss final : public RegressionLoss<PseudoHuber> {
 public:
  using RegressionLoss<PseudoHuber>::RegressionLoss;
  std::string_view default_metric() const override { return "boost.metric.pseudo_huber"; }
  std::map<std::string, api::Value> metric_settings() const override {
    return {{"delta", formula_.delta}};
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&PseudoHuber::delta>(
        {.doc = "Residual around which the loss turns from quadratic to linear.",
         .range = api::above(0.0),
         .unit = "label",
         .alias = "huber_slope"}),
};

constexpr api::Text kText = {
    .name = "boost.loss.pseudo_huber",
    .summary = "Smooth mixture of squared error near zero and absolute error in the tails.",
    .detail = "The hessian is that of the parabola above the loss, so that steps never overshoot.",
    .source =
        "Charbonnier, Blanc-Feraud, Aubert and Barlaud (1997), Deterministic edge-preserving "
        "regularization in computed imaging",
    .shape = "label, score: [targets][rows]",
    .errors = "GRD-2020 the target is classes",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_pseudo_huber) =
    gradatim::api::component<gradatim::boost::PseudoHuberLoss, gradatim::boost::PseudoHuber>(
        gradatim::boost::kText, gradatim::boost::kSettings);
