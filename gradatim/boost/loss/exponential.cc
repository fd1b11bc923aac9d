// L = e^{-y F} for y in {-1, 1}: g = -y e^{-y F}, h = e^{-y F}. Its minimum is half the log-odds of
// the second class, so p = 1/(1 + e^{-2F}): what AdaBoost minimises, here by trees on gradients.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct Exponential {
  static void link(std::span<double>) {}
  static double probability(double score) { return math::sigmoid(2.0 * score); }
  Gradient operator()(float label, double score) const {
    const double y = label > 0.5F ? 1.0 : -1.0;
    const double e = math::exp(-y * score);
    return {-y * e, std::max(e, 1e-16)};
  }
};

class ExponentialLoss final : public TwoClassLoss<Exponential> {
 public:
  void check(const Task& task, std::span<const float>) const override {
    internal::check_two_classes(task, "boost.loss.exponential");
  }
  std::vector<double> base_score(const Task&, std::span<const float> label,
                                 std::span<const float> weight) const override {
    const double p = std::clamp(weighted_mean(label, weight), 1e-12, 1.0 - 1e-12);
    return {0.5 * math::log(p / (1.0 - p))};
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.exponential",
    .summary = "AdaBoost's loss of two classes; the score is half the log-odds of the second.",
    .detail =
        "A wrong and sure row weighs exponentially, so that mislabelled rows cost more than with "
        "boost.loss.logistic.",
    .source = "Friedman, Hastie and Tibshirani (2000), Additive logistic regression, section 4",
    .shape = "label in {0, 1}, score: [rows]",
    .errors = "GRD-2020 the target has not two classes",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_exponential) =
    gradatim::api::component<gradatim::boost::ExponentialLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
