// L = ln(1 + e^F) - y F for y in {0, 1}: p = 1/(1 + e^-F), g = p - y, h = p (1 - p).
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct Logistic {
  static void link(std::span<double> z) { math::sigmoid_all(z); }
  static double probability(double score) { return math::sigmoid(score); }
  Gradient operator()(float label, double p) const {
    return {p - double{label}, std::max(p * (1.0 - p), 1e-16)};
  }
};

class LogisticLoss final : public TwoClassLoss<Logistic> {
 public:
  void check(const Task& task, std::span<const float>) const override {
    internal::check_two_classes(task, "boost.loss.logistic");
  }
  std::vector<double> base_score(const Task&, std::span<const float> label,
                                 std::span<const float> weight) const override {
    const double p = std::clamp(weighted_mean(label, weight), 1e-12, 1.0 - 1e-12);
    return {math::log(p / (1.0 - p))};
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.logistic",
    .aliases = "boost.loss.binomial",
    .summary = "Negative log-likelihood of two classes; the score is the log-odds of the second.",
    .source = "Friedman, Hastie and Tibshirani (2000), Additive logistic regression",
    .shape = "label in {0, 1}, score: [rows]",
    .errors = "GRD-2020 the target has not two classes",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_logistic) =
    gradatim::api::component<gradatim::boost::LogisticLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
