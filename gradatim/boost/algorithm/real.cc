// Real AdaBoost (Friedman, Hastie and Tibshirani 2000, algorithm 2). For m = 1, 2, ...:
//   a classifier fitted to rows weighted by D_m; p(x) the share of D_m that y = 1 has in x's leaf
//   f_m(x) = 1/2 ln(p(x) / (1 - p(x))), times the learning rate
//   D_{m+1} proportional to D_m exp(-y f_m(x)), y in {-1, +1}
// K classes are K problems (AdaBoost.MH). Shares are kept above min_share, or a pure leaf would be
// infinitely sure.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/boost/algorithm/margin_algorithm.h"

namespace gradatim::boost {
namespace {

struct RealConfig {
  double min_share = 1e-6;
};

class Real final : public MarginAlgorithm {
 public:
  explicit Real(const RealConfig& config) : config_(config) {}
  std::string_view name() const override { return "real"; }

 protected:
  std::unique_ptr<Member> fit_output(RoundWork& work, int output) const override {
    auto member =
        work.classify(2, [&](std::int64_t row) { return work.sign(row, output) > 0.0 ? 1 : 0; });
    work.set_leaves(*member, 1, [&](std::span<const double> share, std::span<double> value) {
      value[0] = 0.5 * (math::log(std::max(share[1], config_.min_share)) -
                        math::log(std::max(share[0], config_.min_share)));
    });
    return member;
  }

 private:
  RealConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&RealConfig::min_share>(
        {.doc = "Share of a leaf's weight that every class is taken to have at least.",
         .range = api::strictly_between(0.0, 0.5)}),
};

constexpr api::Text kText = {
    .name = "boost.algorithm.real",
    .summary = "Each leaf adds half the log-odds of its rows' weights (Real AdaBoost).",
    .detail = "Of more than two classes, each is learned against the others (AdaBoost.MH).",
    .source =
        "Friedman, Hastie and Tibshirani (2000), Additive logistic regression, algorithms 2 and 5; "
        "Schapire and Singer (1999), Improved boosting algorithms using confidence-rated "
        "predictions",
    .shape = "target: classes [rows]",
    .errors = "GRD-1060 the learner has no leaves; GRD-1061 mode=resample",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_algorithm_real) =
    gradatim::api::component<gradatim::boost::Real, gradatim::boost::RealConfig>(
        gradatim::boost::kText, gradatim::boost::kSettings);
