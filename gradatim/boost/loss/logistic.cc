// L = ln(1 + e^F) - y F for y in {0, 1}: p = 1/(1 + e^-F), g = p - y, h = p (1 - p).
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct Logistic {
  static void link(std::span<double> z) { math::sigmoid_all(z); }
  Gradient operator()(float label, double p) const {
    return {p - double{label}, std::max(p * (1.0 - p), 1e-16)};
  }
};

class LogisticLoss final : public Elementwise<Logistic> {
 public:
  TaskKind task() const override { return TaskKind::classification; }
  void check(const Task& task, std::span<const float>) const override {
    if (task.classification() && task.class_count() == 2) return;
    throw DataError(2020,
                    task.classification()
                        ? "boost.loss.logistic takes two classes and the target has " +
                              std::to_string(task.class_count()) + "; use boost.loss.softmax"
                        : "boost.loss.logistic needs a target of two classes, and it is "
                          "numeric; use boost.loss.squared or declare the target categorical");
  }
  std::vector<double> base_score(const Task&, std::span<const float> label,
                                 std::span<const float> weight) const override {
    const double p = std::clamp(weighted_mean(label, weight), 1e-12, 1.0 - 1e-12);
    return {math::log(p / (1.0 - p))};
  }
  int predictions(int) const override { return 2; }
  void transform(std::span<const double> scores, int, std::span<double> out) const override {
    for (std::size_t i = scores.size(); i-- > 0;) {
      const double p = math::sigmoid(scores[i]);
      out[2 * i] = 1.0 - p;
      out[2 * i + 1] = p;
    }
  }
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }
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
