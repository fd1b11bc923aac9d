// L = e^F - y F, the negative log-likelihood of counts with mean e^F: g = e^F - y.
//
// The second derivative is e^F, but where it is small a Newton step up, y / e^F, is far too long.
// h = e^{F + max_step} is the curvature at the far end of a step of max_step, as in XGBoost and
// LightGBM (their max_delta_step of 0.7). XGBoost bounds leaves by the same number: set the tree's
// max_delta_step to have that too.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/log_link.h"

namespace gradatim::boost {
namespace {

struct PoissonConfig {
  double max_step = 0.7;
};

struct Poisson {
  double caution;  // e^max_step

  static void link(std::span<double> z) { math::exp_all(z); }
  Gradient operator()(float label, double mean) const {
    return {mean - double{label}, std::max(mean * caution, 1e-16)};
  }
};

class PoissonLoss final : public LogLinkLoss<Poisson> {
 public:
  explicit PoissonLoss(const PoissonConfig& config) : LogLinkLoss({math::exp(config.max_step)}) {}
  void check(const Task& task, std::span<const float> label) const override {
    internal::check_numeric_target(task);
    internal::check_labels(label, "boost.loss.poisson", "of at least 0",
                           [](float y) { return y >= 0.0F; });
  }
  std::string_view default_metric() const override { return "boost.metric.poisson_deviance"; }
};

constexpr api::Setting kSettings[] = {
    api::setting<&PoissonConfig::max_step>(
        {.doc = "How long a step of the log-mean the curvature is safe for: the hessian is that at "
                "F + max_step. 0 takes the second derivative itself.",
         .range = api::between(0.0, 10.0),
         .alias = "poisson_max_delta_step"}),
};

constexpr api::Text kText = {
    .name = "boost.loss.poisson",
    .summary = "Negative log-likelihood of counts; the score is the logarithm of the mean.",
    .detail = "Labels need not be whole: rates with an exposure as weight are fine.",
    .source = "McCullagh and Nelder (1989), Generalized Linear Models, chapter 6",
    .shape = "label >= 0, score: [targets][rows]",
    .errors = "GRD-2020 the target is classes; GRD-2032 a label is negative",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_poisson) =
    gradatim::api::component<gradatim::boost::PoissonLoss, gradatim::boost::PoissonConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
