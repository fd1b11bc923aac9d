// L(r) = r^2/2 for |r| <= delta and delta (|r| - delta/2) beyond it, with r = F - y.
// g = r clipped to [-delta, delta]; h = 1 (0 in the tails would stop Newton's step).
#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"

namespace gradatim::boost {
namespace {

struct Huber {
  double delta = 1.0;

  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const {
    return {std::clamp(score - double{label}, -delta, delta), 1.0};
  }
};

class HuberLoss final : public RegressionLoss<Huber> {
 public:
  using RegressionLoss<Huber>::RegressionLoss;
  bool constant_hessian() const override { return true; }
  bool refits_leaves() const override { return true; }
  // Friedman's one step: the median residual plus the mean of the clipped deviations from it.
  double leaf_value(const LeafBlock& leaf) const override {
    auto residuals = internal::residuals(leaf);
    const double median = weighted_quantile(residuals, 0.5);
    std::vector<float> clipped(residuals.size());
    std::vector<float> weight(residuals.size());
    for (std::size_t i = 0; i < residuals.size(); ++i) {
      clipped[i] = static_cast<float>(
          std::clamp(residuals[i].first - median, -formula_.delta, formula_.delta));
      weight[i] = static_cast<float>(residuals[i].second);
    }
    return median + weighted_mean(clipped, weight);
  }
  std::string_view default_metric() const override { return "boost.metric.mae"; }

 protected:
  double constant(std::span<const float> label, std::span<const float> weight, int) const override {
    const std::vector<double> zero(label.size());
    return leaf_value({label, zero, weight});
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&Huber::delta>(
        {.doc = "Residual at which the loss turns from quadratic to linear.",
         .range = api::above(0.0),
         .unit = "label"}),
};

constexpr api::Text kText = {
    .name = "boost.loss.huber",
    .summary = "Squared error near zero, absolute error in the tails.",
    .detail = "Leaves are refitted by Friedman's one step from the median.",
    .source =
        "Friedman (2001), Greedy function approximation: a gradient boosting machine, section 4.4",
    .shape = "label, score: [rows]",
    .errors = "GRD-2020 the target is classes",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_huber) =
    gradatim::api::component<gradatim::boost::HuberLoss, gradatim::boost::Huber>(
        gradatim::boost::kText, gradatim::boost::kSettings);
