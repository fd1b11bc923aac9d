// L = (F - y)^2 / 2: g = F - y, h = 1. The optimum of a leaf is its mean residual.
#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"

namespace gradatim::boost {
namespace {

struct Squared {
  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const { return {score - double{label}, 1.0}; }
};

class SquaredLoss final : public RegressionLoss<Squared> {
 public:
  bool constant_hessian() const override { return true; }
  std::string_view default_metric() const override { return "boost.metric.rmse"; }

 protected:
  double constant(std::span<const float> label, std::span<const float> weight, int) const override {
    return weighted_mean(label, weight);
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.squared",
    .aliases = "boost.loss.l2 boost.loss.squared_error",
    .summary = "Half the squared error; its minimum is the mean.",
    .source =
        "Friedman (2001), Greedy function approximation: a gradient boosting machine, section 4.1",
    .shape = "label, score: [rows]",
    .errors = "GRD-2020 the target is classes",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_squared) =
    gradatim::api::component<gradatim::boost::SquaredLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
