// L = -sum_k y_k ln p_k with p_k = e^{F_k} / sum_j e^{F_j}, y_k = 1 for the row's class and else 0,
// or any distribution over the classes: g_k = p_k - y_k, h_k = 2 p_k (1 - p_k).
//
// The factor 2 makes the diagonal of the Hessian an upper bound of it (it is what XGBoost uses);
// one tree a class and round.
#include "gradatim/boost/loss/softmax.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/boost/loss/softmax_gradients.h"
#include "gradatim/boost/order_statistics.h"
#include "gradatim/core/error.h"
#include "gradatim/core/text.h"

namespace gradatim::boost {
namespace {

// Labels of several targets are a distribution of each row over them.
void check_distributions(std::span<const float> label, int targets) {
  const std::size_t rows = label.size() / static_cast<std::size_t>(targets);
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 0.0;
    bool chances = true;
    for (int k = 0; k < targets; ++k) {
      const float y = label[k * rows + row];
      chances = chances && y >= 0.0F && y <= 1.0F;
      sum += double{y};
    }
    GRADATIM_CHECK(chances && std::abs(sum - 1.0) <= 1e-5, DataError, 2033,
                   "boost.loss.softmax of several targets needs chances in [0, 1] that sum to 1 in "
                   "each row, and there is a row whose sum is {}; divide by the sum, or use "
                   "boost.loss.cross_entropy for labels that do not exclude each other",
                   number_text(sum));
  }
}

class SoftmaxLoss final : public Loss {
 public:
  using Interface = Loss;

  TaskKind task() const override { return TaskKind::classification; }
  int outputs(const Task& task) const override {
    return task.classification() ? std::max(1, task.class_count()) : task.targets;
  }
  void check(const Task& task, std::span<const float> label) const override {
    if (task.classification() && task.class_count() >= 2) return;
    GRADATIM_CHECK(task.targets >= 2, DataError, 2020,
                   "boost.loss.softmax needs a target of two or more classes, or several targets "
                   "of chances; use boost.loss.squared for a numeric one");
    check_distributions(label, task.targets);
  }
  std::vector<double> base_score(const Task& task, std::span<const float> label,
                                 std::span<const float> weight) const override {
    std::vector<double> shares;
    if (task.classification()) {
      shares = class_shares(task, label, weight);
    } else {
      const std::size_t rows = label.size() / static_cast<std::size_t>(task.targets);
      for (int k = 0; k < task.targets; ++k) {
        shares.push_back(weighted_mean(label.subspan(k * rows, rows), weight));
      }
    }
    for (double& share : shares) share = math::log(std::max(share, 1e-12));
    return shares;
  }
  void gradients(const GradientBlock& block) const override { softmax_gradients(block); }
  void transform(std::span<const double> scores, int outputs,
                 std::span<double> out) const override {
    std::copy(scores.begin(), scores.end(), out.begin());
    for (std::size_t row = 0; row * outputs < scores.size(); ++row) {
      softmax(out.subspan(row * outputs, outputs));
    }
  }
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }
};

constexpr api::Text kText = {
    .name = "boost.loss.softmax",
    .aliases = "boost.loss.multinomial",
    .summary = "Negative log-likelihood of K classes; one score and one tree a class.",
    .detail =
        "Several targets are chances of K classes (soft labels): in [0, 1], summing to 1 in each "
        "row.",
    .source =
        "Friedman (2001), Greedy function approximation, section 4.6; Chen and Guestrin (2016), "
        "XGBoost",
    .shape = "label in {0, ..., K-1}: [rows], or chances [K][rows]; score: [K][rows]",
    .errors = "GRD-2020 the target is numeric; GRD-2033 a row's chances do not sum to 1",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_softmax) =
    gradatim::api::component<gradatim::boost::SoftmaxLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
