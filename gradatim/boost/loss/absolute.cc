// L = |F - y|: g = sign(F - y), h = 1. The optimum of a leaf is its median residual.
#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"

namespace gradatim::boost {
namespace {

struct Absolute {
  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const {
    const double r = score - double{label};
    return {r > 0.0 ? 1.0 : r < 0.0 ? -1.0 : 0.0, 1.0};
  }
};

class AbsoluteLoss final : public RegressionLoss<Absolute> {
 public:
  bool constant_hessian() const override { return true; }
  bool refits_leaves() const override { return true; }
  double leaf_value(const LeafBlock& leaf) const override {
    auto residuals = internal::residuals(leaf);
    return weighted_quantile(residuals, 0.5);
  }
  std::string_view default_metric() const override { return "boost.metric.mae"; }

 protected:
  double constant(std::span<const float> label, std::span<const float> weight, int) const override {
    const std::vector<double> zero(label.size());
    return leaf_value({label, zero, weight});
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.absolute",
    .aliases = "boost.loss.l1 boost.loss.absolute_error",
    .summary = "Absolute error; its minimum is the median.",
    .detail = "Leaves are refitted to the weighted median of their residuals.",
    .source =
        "Friedman (2001), Greedy function approximation: a gradient boosting machine, section 4.3",
    .shape = "label, score: [rows]",
    .errors = "GRD-2020 the target is classes",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_absolute) =
    gradatim::api::component<gradatim::boost::AbsoluteLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
