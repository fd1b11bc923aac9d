// Gentle AdaBoost (Friedman, Hastie and Tibshirani 2000, algorithm 4). For m = 1, 2, ...:
//   f_m fitted to y in {-1, +1} by least squares with weights D_m, times the learning rate
//   D_{m+1} proportional to D_m exp(-y f_m(x))
// A Newton step on the exponential loss: no member says more than 1 of a row, however pure its
// leaf. K classes are K problems (AdaBoost.MH).
#include "gradatim/api/export.h"
#include "gradatim/boost/algorithm/margin_algorithm.h"

namespace gradatim::boost {
namespace {

class Gentle final : public MarginAlgorithm {
 public:
  std::string_view name() const override { return "gentle"; }

 protected:
  std::unique_ptr<Member> fit_output(RoundWork& work, int output) const override {
    return work.regress([&](std::int64_t row) { return work.sign(row, output); });
  }
};

constexpr api::Text kText = {
    .name = "boost.algorithm.gentle",
    .summary = "Members are least-squares fits to -1 and +1 (Gentle AdaBoost).",
    .detail = "Of more than two classes, each is learned against the others (AdaBoost.MH).",
    .source = "Friedman, Hastie and Tibshirani (2000), Additive logistic regression, algorithm 4",
    .shape = "target: classes [rows]",
    .errors = "GRD-1061 mode=resample",
};

}  // namespace
}  // namespace gradatim::boost

GRADATIM_EXPORT(boost_algorithm_gentle) =
    gradatim::api::component<gradatim::boost::Gentle, gradatim::api::NoSettings>(
        gradatim::boost::kText);
