// L = -ln p_y with p_k = e^{F_k} / sum_j e^{F_j}: g_k = p_k - [k = y], h_k = 2 p_k (1 - p_k).
//
// The factor 2 makes the diagonal of the Hessian an upper bound of it (it is what XGBoost uses);
// one tree a class and round.
#include <algorithm>
#include <cmath>
#include <vector>

#include "gradatim/api/export.h"
#include "gradatim/boost/loss/loss.h"
#include "gradatim/core/error.h"
#include "gradatim/core/exact_sum.h"
#include "gradatim/core/math.h"

namespace gradatim::boost {
namespace {

class SoftmaxLoss final : public Loss {
 public:
  using Interface = Loss;

  TaskKind task() const override { return TaskKind::classification; }
  int outputs(const Task& task) const override { return std::max(1, task.class_count()); }
  void check(const Task& task, std::span<const float>) const override {
    if (task.classification() && task.class_count() >= 2) return;
    throw DataError(2020,
                    "boost.loss.softmax needs a target of two or more classes; use "
                    "boost.loss.squared for a numeric one");
  }
  std::vector<double> base_score(const Task& task, std::span<const float> label,
                                 std::span<const float> weight) const override {
    std::vector<ExactSum> mass(task.class_count());
    ExactSum total;
    for (std::size_t i = 0; i < label.size(); ++i) {
      const double w = weight.empty() ? 1.0 : double{weight[i]};
      mass[static_cast<std::size_t>(label[i])].add(w);
      total.add(w);
    }
    std::vector<double> scores;
    for (const auto& m : mass) {
      scores.push_back(math::log(std::max(m.value() / total.value(), 1e-12)));
    }
    return scores;
  }
  void gradients(const GradientBlock& block) const override {
    constexpr std::int64_t kBlock = 256;
    std::vector<double> z(kBlock * block.outputs);
    for (std::int64_t begin = 0; begin < block.rows; begin += kBlock) {
      const std::int64_t count = std::min(kBlock, block.rows - begin);
      normalise(block, begin, count, z);
      for (int k = 0; k < block.outputs; ++k) {
        for (std::int64_t i = 0; i < count; ++i) {
          const double p = z[i * block.outputs + k];
          const std::int64_t at = k * block.stride + begin + i;
          block.g[at] = static_cast<float>(p - (block.label[begin + i] == static_cast<float>(k)));
          block.h[at] = static_cast<float>(std::max(2.0 * p * (1.0 - p), 1e-16));
        }
      }
    }
  }
  void transform(std::span<const double> scores, int outputs,
                 std::span<double> out) const override {
    std::copy(scores.begin(), scores.end(), out.begin());
    for (std::size_t row = 0; row * outputs < scores.size(); ++row) {
      softmax(out.subspan(row * outputs, outputs));
    }
  }
  std::string_view default_metric() const override { return "boost.metric.log_loss"; }

 private:
  static void softmax(std::span<double> z) {
    const double most = *std::max_element(z.begin(), z.end());
    for (double& x : z) x -= most;
    math::exp_all(z);
    double sum = 0.0;
    for (const double x : z) sum += x;
    for (double& x : z) x /= sum;
  }
  // Probabilities of a block, row-major.  // [count, outputs]
  static void normalise(const GradientBlock& block, std::int64_t begin, std::int64_t count,
                        std::vector<double>& z) {
    const int outputs = block.outputs;
    for (int k = 0; k < outputs; ++k) {
      for (std::int64_t i = 0; i < count; ++i) {
        z[i * outputs + k] = block.score[k * block.stride + begin + i];
      }
    }
    for (std::int64_t i = 0; i < count; ++i) {
      softmax(std::span(z).subspan(i * outputs, outputs));
    }
  }
};

constexpr api::Text kText = {
    .name = "boost.loss.softmax",
    .aliases = "boost.loss.multinomial",
    .summary = "Negative log-likelihood of K classes; one score and one tree a class.",
    .source =
        "Friedman (2001), Greedy function approximation, section 4.6; Chen and Guestrin (2016), "
        "XGBoost",
    .shape = "label in {0, ..., K-1}: [rows]; score: [K][rows]",
    .errors = "GRD-2020 the target is numeric",
    .tags = "classification",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_loss_softmax) =
    gradatim::api::component<gradatim::boost::SoftmaxLoss, gradatim::api::NoSettings>(
        gradatim::boost::kText);
