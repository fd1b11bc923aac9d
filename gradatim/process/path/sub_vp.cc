// dx = -beta/2 x dt + sqrt(beta (1 - exp(-2 B))) dw: alpha = exp(-B/2), sigma = 1 - exp(-B).
#include <cmath>

#include "gradatim/process/path/continuous.h"

namespace gradatim::process {
namespace {

class SubVpPath final : public Path {
 public:
  explicit SubVpPath(const BetaRange& config) : beta_(config) {}

  PathPoint at(double t) const override {
    const double sum = beta_.integral(t);
    const double alpha = std::exp(-0.5 * sum);
    const double beta = beta_.at(t);
    return {t, alpha, -std::expm1(-sum), -0.5 * beta * alpha, beta * std::exp(-sum)};
  }
  // With e = exp(-B/2): (1 - e^2) / e = ratio.
  double time_of(double ratio) const override {
    if (!std::isfinite(ratio)) return 1.0;
    return beta_.time_of(2.0 * std::asinh(0.5 * ratio));  // -2 ln e
  }
  double first() const override { return 1e-3; }

 private:
  BetaRange beta_;
};

constexpr api::Text kText = {
    .name = "process.path.sub_vp",
    .summary = "The sub-variance-preserving SDE.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations, section 3.4",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_sub_vp) =
    gradatim::api::component<gradatim::process::SubVpPath, gradatim::process::BetaRange>(
        gradatim::process::kText, gradatim::process::kBetaRange);
