// L = y e^{-F} + F, the negative log-likelihood of a gamma variable with mean e^F, up to its shape:
// g = 1 - y e^{-F}, h = y e^{-F}.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/log_link.h"

namespace gradatim::boost {
namespace {

struct Gamma {
  static void link(std::span<double> z) {
    for (double& x : z) x = -x;
    math::exp_all(z);
  }
  Gradient operator()(float label, double inverse_mean) const {
    const double ratio = double{label} * inverse_mean;
    return {1.0 - ratio, std::max(ratio, 1e-16)};
  }
};

class GammaLoss final : public LogLinkLoss<Gamma> {
 public:
  void check(const Task& task, std::span<const float> label) const override {
    internal::check_numeric_target(task);
    internal::check_labels(label, "boost.loss.gamma", "above 0", [](float y) { return y > 0.0F; });
  }
  std::string_view default_metric() const override { return "boost.metric.gamma_deviance"; }
};

constexpr api::Text kText = {
    .name = "boost.loss.gamma",
    .summary =
        "Negative log-likelihood of positive amounts whose deviation grows with their mean; the "
        "score is the logarithm of the mean.",
    .source = "McCullagh and Nelder (1989), Generalized Linear Models, chapter 8",
    .shape = "label > 0, score: [targets][rows]",
    .errors = "GRD-2020 the target is classes; GRD-2032 a label is not above 0",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_gamma) =
    gradatim::api::component<gradatim::boost::GammaLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
