// L = ln(1 + e^F) - y F for y in [0, 1]: the logistic loss of labels that are probabilities, or 0
// and 1 in several columns at once (several labels a row). p = 1/(1 + e^-F), g = p - y,
// h = p (1 - p).
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct SoftLogistic {
  static void link(std::span<double> z) { math::sigmoid_all(z); }
  Gradient operator()(float label, double p) const {
    return {p - double{label}, std::max(p * (1.0 - p), 1e-16)};
  }
};

class CrossEntropyLoss final : public RegressionLoss<SoftLogistic> {
 public:
  void check(const Task& task, std::span<const float> label) const override {
    internal::check_numeric_target(task);
    internal::check_labels(label, "boost.loss.cross_entropy", "in [0, 1]",
                           [](float y) { return y >= 0.0F && y <= 1.0F; });
  }
  double scale(std::span<const float>) const override { return 1.0; }
  void transform(std::span<const double> scores, int, std::span<double> out) const override {
    std::copy(scores.begin(), scores.end(), out.begin());
    math::sigmoid_all(out.first(scores.size()));
  }
  bool predicts_chances() const override { return true; }
  std::string_view default_metric() const override { return "boost.metric.cross_entropy"; }

 protected:
  double constant(std::span<const float> label, std::span<const float> weight, int) const override {
    const double p = std::clamp(weighted_mean(label, weight), 1e-12, 1.0 - 1e-12);
    return math::log(p / (1.0 - p));
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.cross_entropy",
    .aliases = "boost.loss.xentropy",
    .summary = "Logistic loss of labels that are probabilities; the score is their log-odds.",
    .detail =
        "Several target columns of 0 and 1 are several labels a row, each with a probability of "
        "its own. A single column of 0 and 1 is fitted as boost.loss.logistic does.",
    .source = "Cox (1958), The regression analysis of binary sequences",
    .shape = "label in [0, 1], score: [targets][rows]",
    .errors = "GRD-2020 the target is classes; GRD-2032 a label is not in [0, 1]",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_cross_entropy) =
    gradatim::api::component<gradatim::boost::CrossEntropyLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
