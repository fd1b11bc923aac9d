// SAMME.R (Zhu, Zou, Rosset and Hastie 2009, algorithm 4). For m = 1, 2, ...:
//   a classifier fitted to rows weighted by D_m; p_k(x) the share of D_m of class k in x's leaf
//   h_k(x) = (K - 1) (ln p_k(x) - 1/K sum_j ln p_j(x)), times the learning rate
//   D_{m+1} proportional to D_m exp(-(K - 1)/K Y.ln p(x)), Y_k = 1 at the class, else -1/(K - 1)
// Since the h_k sum to zero, the exponent is -h_y/(K - 1), and D follows from the sum of the h
// alone. Probabilities are proportional to exp(F_k/(K - 1)). Two classes are Real AdaBoost, whose
// one score is h of the second.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/algorithm/score_algorithm.h"

namespace gradatim::boost {
namespace {

struct SammeRConfig {
  double min_share = 1e-6;
};

// -F_y / (K - 1); of two classes the score is the second's, and the first's is its negative.
double exponent(const RoundWork& work, std::int64_t row) {
  if (work.classes() == 2) return -work.sign(row, 0) * work.score(row, 0);
  return -work.score(row, work.label(row)) / (work.classes() - 1);
}

class SammeR final : public ScoreAlgorithm {
 public:
  using Interface = Algorithm;
  explicit SammeR(const SammeRConfig& config) : config_(config) {}

  std::string_view name() const override { return "samme_r"; }
  int width(int classes) const override { return outputs(classes); }

  Members fit(RoundWork& work) const override {
    work.weigh([&](std::int64_t row) { return exponent(work, row); });
    Members members;
    members.push_back(
        work.classify(work.classes(), [&](std::int64_t row) { return work.label(row); }));
    work.set_leaves(
        *members[0], work.outputs(),
        [&](std::span<const double> share, std::span<double> value) { set_scores(share, value); });
    return members;
  }
  double loss(RoundWork& work) const override {
    return work.mean([&](std::int64_t row) { return math::exp(exponent(work, row)); });
  }
  void probabilities(std::span<const double> scores, int classes,
                     std::span<double> out) const override {
    if (classes == 2) return one_vs_rest_probabilities(scores, classes, out);
    softmax_probabilities(scores, classes, 1.0 / (classes - 1), out);
  }

 private:
  // One value is that of the last class.
  void set_scores(std::span<const double> share, std::span<double> value) const {
    const auto log_share = [&](std::size_t k) {
      return math::log(std::max(share[k], config_.min_share));
    };
    double mean = 0.0;
    for (std::size_t k = 0; k < share.size(); ++k) mean += log_share(k);
    mean /= static_cast<double>(share.size());
    const std::size_t first = share.size() - value.size();
    for (std::size_t i = 0; i < value.size(); ++i) {
      value[i] = static_cast<double>(share.size() - 1) * (log_share(first + i) - mean);
    }
  }

  SammeRConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&SammeRConfig::min_share>(
        {.doc = "Share of a leaf's weight that every class is taken to have at least.",
         .range = api::strictly_between(0.0, 0.5)}),
};

constexpr api::Text kText = {
    .name = "boost.algorithm.samme_r",
    .summary = "Each leaf adds the centred logarithms of its classes' shares (SAMME.R).",
    .detail = "One member a round for all classes; for two classes it is Real AdaBoost.",
    .source = "Zhu, Zou, Rosset and Hastie (2009), Multi-class AdaBoost, algorithm 4",
    .shape = "target: classes [rows]",
    .errors = "GRD-1060 the learner has no leaves; GRD-1061 mode=resample",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_algorithm_samme_r) =
    gradatim::api::component<gradatim::boost::SammeR, gradatim::boost::SammeRConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
