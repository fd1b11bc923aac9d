// L = e^{(2-p) F} / (2-p) - y e^{(1-p) F} / (1-p): the quasi-likelihood of a mean e^F with variance
// e^{pF}. For 1 < p < 2 that is a sum of gamma amounts, Poisson many, with a mass at 0.
// g = e^{(2-p) F} - y e^{(1-p) F}, h = (2-p) e^{(2-p) F} + (p-1) y e^{(1-p) F} > 0.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/log_link.h"

namespace gradatim::boost {
namespace {

struct Tweedie {
  double power = 1.5;

  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const {
    const double a = math::exp((2.0 - power) * score);
    const double b = double{label} * math::exp((1.0 - power) * score);
    return {a - b, std::max((2.0 - power) * a + (power - 1.0) * b, 1e-16)};
  }
};

class TweedieLoss final : public LogLinkLoss<Tweedie> {
 public:
  using LogLinkLoss<Tweedie>::LogLinkLoss;
  void check(const Task& task, std::span<const float> label) const override {
    internal::check_numeric_target(task);
    internal::check_labels(label, "boost.loss.tweedie", "of at least 0",
                           [](float y) { return y >= 0.0F; });
  }
  std::string_view default_metric() const override { return "boost.metric.tweedie_deviance"; }
  std::map<std::string, api::Value> metric_settings() const override {
    return {{"power", formula_.power}};
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&Tweedie::power>(
        {.doc = "The variance is the mean to this power; towards 1 it is Poisson's, towards 2 "
                "gamma's.",
         .range = api::strictly_between(1.0, 2.0),
         .alias = "tweedie_variance_power"}),
};

constexpr api::Text kText = {
    .name = "boost.loss.tweedie",
    .summary =
        "Loss of totals that are often 0 and else positive, as insurance claims; the score is the "
        "logarithm of the mean.",
    .source = "Jorgensen (1987), Exponential dispersion models",
    .shape = "label >= 0, score: [targets][rows]",
    .errors = "GRD-2020 the target is classes; GRD-2032 a label is negative",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_tweedie) =
    gradatim::api::component<gradatim::boost::TweedieLoss, gradatim::boost::Tweedie>(
        gradatim::boost::kText, gradatim::boost::kSettings);
