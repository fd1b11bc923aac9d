// L = sum_k ln(1 + e^{F_k}) - F_y: K logistic losses, each of one class against all others. With
// p_k = 1/(1 + e^{-F_k}): g_k = p_k - [k = y], h_k = p_k (1 - p_k).
//
// The classes' trees do not know of each other, unlike softmax's. Predictions are p_k / sum_j p_j.
#include <fmt/format.h>

#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/elementwise.h"
#include "gradatim/boost/loss/softmax.h"
#include "gradatim/core/error.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

struct OneClass {
  float class_index;

  static void link(std::span<double> z) { math::sigmoid_all(z); }
  Gradient operator()(float label, double p) const {
    return {p - (label == class_index ? 1.0 : 0.0), std::max(p * (1.0 - p), 1e-16)};
  }
};

struct OneVsRest {
  OneClass output(int k) const { return {static_cast<float>(k)}; }
};

class OneVsRestLoss final : public Elementwise<OneVsRest> {
 public:
  TaskKind task() const override { return TaskKind::classification; }
  int outputs(const Task& task) const override { return std::max(1, task.class_count()); }
  void check(const Task& task, std::span<const float>) const override {
    GRADATIM_CHECK(
        task.classification() && task.class_count() >= 2, DataError, 2020,
        "boost.loss.one_vs_rest needs a target of two or more classes; the target is numeric{}",
        "");
  }
  std::vector<double> base_score(const Task& task, std::span<const float> label,
                                 std::span<const float> weight) const override {
    std::vector<double> scores;
    for (const double share : class_shares(task, label, weight)) {
      const double p = std::clamp(share, 1e-12, 1.0 - 1e-12);
      scores.push_back(math::log(p / (1.0 - p)));
    }
    return scores;
  }
  void transform(std::span<const double> scores, int outputs,
                 std::span<double> out) const override {
    for (std::size_t first = 0; first < scores.size(); first += outputs) {
      const auto row = out.subspan(first, outputs);
      std::copy_n(scores.begin() + first, outputs, row.begin());
      // Where every p_k vanishes it is e^{F_k}, of which the ratios are softmax's.
      if (*std::max_element(row.begin(), row.end()) < -40.0) {
        softmax(row);
        continue;
      }
      double sum = 0.0;
      math::sigmoid_all(row);
      for (const double p : row) sum += p;
      for (double& p : row) p /= sum;
    }
  }
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }
};

constexpr api::Text kText = {
    .name = "boost.loss.one_vs_rest",
    .aliases = "boost.loss.ova",
    .summary = "K independent logistic losses, of each class against all others.",
    .detail = "Predictions are the classes' probabilities divided by their sum.",
    .source = "Rifkin and Klautau (2004), In defense of one-vs-all classification",
    .shape = "label in {0, ..., K-1}: [rows]; score: [K][rows]",
    .errors = "GRD-2020 the target is numeric",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_one_vs_rest) =
    gradatim::api::component<gradatim::boost::OneVsRestLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
