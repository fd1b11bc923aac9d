// L = q (y - F) where y > F, else (1 - q) (F - y): g = -q or 1 - q, h = 1, one score a level q.
// The optimum of a leaf is the q-quantile of its residuals.
//
// Several levels never cross: each row's predictions are sorted (rearrangement). For ascending
// levels that cannot raise the sum of their losses, for any y: with r+ = max(r, 0),
//   L_q(y, F) = q (y - F) + (F - y)+,
// of which the second term's sum does not depend on the order, and sum q F is largest when both
// ascend. Gaps modelled as exponentials do not cross either, but then no leaf has an exact optimum.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

struct Pinball {
  double level;

  static void link(std::span<double>) {}
  Gradient operator()(float label, double score) const {
    return {score < double{label} ? -level : 1.0 - level, 1.0};
  }
};

struct Quantile {
  api::List<double, 32> levels = {0.5};

  Pinball output(int k) const { return {levels[static_cast<std::size_t>(k)]}; }
};

class QuantileLoss final : public RegressionLoss<Quantile> {
 public:
  explicit QuantileLoss(const Quantile& quantile) : RegressionLoss(quantile) {
    const auto& levels = formula_.levels;
    GRADATIM_CHECK(!levels.empty() && std::adjacent_find(levels.begin(), levels.end(),
                                                         std::greater_equal<>()) == levels.end(),
                   UsageError, 1026,
                   "boost.loss.quantile needs levels that ascend, at least one; as in 0.1,0.5,0.9");
  }
  int outputs(const Task&) const override { return static_cast<int>(formula_.levels.size); }
  void check(const Task& task, std::span<const float>) const override {
    internal::check_numeric_target(task);
    GRADATIM_CHECK(task.targets == 1, DataError, 2020,
                   "boost.loss.quantile learns one target and {} were named; fit one model each",
                   task.targets);
  }
  bool constant_hessian() const override { return true; }
  bool refits_leaves() const override { return true; }
  double leaf_value(const LeafBlock& leaf) const override {
    auto residuals = internal::residuals(leaf);
    return weighted_quantile(residuals, formula_.levels[static_cast<std::size_t>(leaf.output)]);
  }
  void transform(std::span<const double> scores, int outputs,
                 std::span<double> out) const override {
    std::copy(scores.begin(), scores.end(), out.begin());
    for (auto row = out.begin(); row < out.begin() + static_cast<std::ptrdiff_t>(scores.size());
         row += outputs) {
      std::sort(row, row + outputs);
    }
  }
  std::vector<std::string> prediction_names() const override {
    std::vector<std::string> names;
    for (const double level : formula_.levels) names.push_back(number_text(level));
    return names.size() > 1 ? names : std::vector<std::string>{};
  }
  std::string_view default_metric() const override { return "boost.metric.quantile"; }
  std::map<std::string, api::Value> metric_settings() const override {
    return {{"levels", std::vector<api::Scalar>(formula_.levels.begin(), formula_.levels.end())}};
  }

 protected:
  double constant(std::span<const float> label, std::span<const float> weight,
                  int k) const override {
    const std::vector<double> zero(label.size());
    return leaf_value({label, zero, weight, k});
  }
};

constexpr api::Setting kSettings[] = {
    api::setting<&Quantile::levels>(
        {.doc = "Shares of rows that should lie below the predictions, ascending: one score and "
                "one prediction each.",
         .range = api::strictly_between(0.0, 1.0),
         .alias = "level"}),
};

constexpr api::Text kText = {
    .name = "boost.loss.quantile",
    .aliases = "boost.loss.pinball",
    .summary = "Tilted absolute error; its minimum is a quantile, or several that never cross.",
    .detail =
        "Leaves are refitted to the weighted quantile of their residuals. Predictions of several "
        "levels are sorted row by row, which never raises the sum of their losses.",
    .source =
        "Koenker and Bassett (1978), Regression quantiles; Chernozhukov, Fernandez-Val and "
        "Galichon (2010), Quantile and probability curves without crossing",
    .shape = "label: [rows]; score: [levels][rows]",
    .errors =
        "GRD-1026 the levels do not ascend; GRD-2020 the target is classes, or there are several",
    .tags = "regression",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_quantile) =
    gradatim::api::component<gradatim::boost::QuantileLoss, gradatim::boost::Quantile>(
        gradatim::boost::kText, gradatim::boost::kSettings);
