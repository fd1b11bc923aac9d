// LogitBoost (Friedman, Hastie and Tibshirani 2000, algorithms 3 and 6). For m = 1, 2, ...:
//   two classes, y in {0, 1}: p = 1/(1 + e^{-2 F}), weights w = p (1 - p),
//     responses z = (y - p)/w, F <- F + 1/2 f, f fitted to z by least squares with weights w
//   K classes: p = softmax(F), w_k = p_k (1 - p_k), z_k = (y_k - p_k)/w_k, f_k fitted to z_k,
//     F_k <- F_k + (K - 1)/K (f_k - 1/K sum_j f_j)
// As in the paper, |z| is cut at z_max and w is not below twice the smallest step of a number. What
// all classes have in common does not alter p; it is taken from the scores when they are asked for.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/algorithm/score_algorithm.h"

namespace gradatim::boost {
namespace {

struct LogitBoostConfig {
  double z_max = 4.0;
};

class LogitBoost final : public ScoreAlgorithm {
 public:
  using Interface = Algorithm;
  explicit LogitBoost(const LogitBoostConfig& config) : config_(config) {}

  std::string_view name() const override { return "logitboost"; }
  double step(int classes) const override {
    return classes == 2 ? 0.5 : static_cast<double>(classes - 1) / classes;
  }
  bool centred(int classes) const override { return classes > 2; }

  Members fit(RoundWork& work) const override {
    Members members;
    if (work.classes() > 2) work.find_chances();
    for (int k = 0; k < work.outputs(); ++k) {
      members.push_back(work.regress_responses([&](std::int64_t row) {
        const double y = work.sign(row, k);
        const auto [own, others] =
            work.classes() == 2 ? chance_of(work.score(row, 0)) : work.chance(row, k);
        return y > 0.0 ? response(y, own, others) : response(y, others, own);
      }));
    }
    return members;
  }
  double loss(RoundWork& work) const override {
    if (work.classes() == 2) {
      return work.mean([&](std::int64_t row) {
        return math::softplus(-2.0 * work.sign(row, 0) * work.score(row, 0));
      });
    }
    work.find_chances();
    return work.mean([&](std::int64_t row) {
      return -math::log(std::max(work.chance(row, work.label(row)).own, 0x1p-1022));
    });
  }
  void probabilities(std::span<const double> scores, int classes,
                     std::span<double> out) const override {
    if (classes == 2) return one_vs_rest_probabilities(scores, classes, out);
    softmax_probabilities(scores, classes, 1.0, out);
  }

 private:
  // z and w of a row whose truth has chance `right`: z = y / right.
  Response response(double y, double right, double wrong) const {
    const double size = right > 1.0 / config_.z_max ? 1.0 / right : config_.z_max;
    return {y * size, std::max(right * wrong, 0x1p-51)};
  }

  // 1/(1 + e^{-2 F}) and the rest, both without cancellation.
  static Chance chance_of(double score) {
    const double e = math::exp(score < 0.0 ? 2.0 * score : -2.0 * score);
    const double larger = 1.0 / (1.0 + e);
    return score < 0.0 ? Chance{e * larger, larger} : Chance{larger, e * larger};
  }

  LogitBoostConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LogitBoostConfig::z_max>(
        {.doc = "Largest size of a working response; the paper suggests 2 to 4.",
         .range = api::at_least(1.0)}),
};

constexpr api::Text kText = {
    .name = "boost.algorithm.logitboost",
    .summary = "Members are weighted least-squares steps on the log-likelihood (LogitBoost).",
    .source =
        "Friedman, Hastie and Tibshirani (2000), Additive logistic regression, algorithms 3 and 6",
    .shape = "target: classes [rows]",
    .errors = "GRD-1061 mode=resample",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_algorithm_logitboost) =
    gradatim::api::component<gradatim::boost::LogitBoost, gradatim::boost::LogitBoostConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
