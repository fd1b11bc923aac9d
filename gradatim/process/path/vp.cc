// dx = -beta/2 x dt + sqrt(beta) dw with beta(t) = beta_min + t (beta_max - beta_min):
// alpha = exp(-B/2), sigma = sqrt(1 - exp(-B)), B the integral of beta.
#include <cmath>

#include "gradatim/process/path/continuous.h"

namespace gradatim::process {
namespace {

class VpPath final : public Path {
 public:
  explicit VpPath(const BetaRange& config) : beta_(config) {}

  PathPoint at(double t) const override {
    const double sum = beta_.integral(t);
    const double alpha = std::exp(-0.5 * sum);
    const double sigma = std::sqrt(-std::expm1(-sum));
    const double beta = beta_.at(t);
    return {t, alpha, sigma, -0.5 * beta * alpha, 0.5 * beta * std::exp(-sum) / sigma};
  }
  double time_of(double ratio) const override { return beta_.time_of(std::log1p(ratio * ratio)); }
  double first() const override { return 1e-3; }

 private:
  BetaRange beta_;
};

constexpr api::Text kText = {
    .name = "process.path.vp",
    .summary = "The variance-preserving SDE.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations, equation 11",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_vp) =
    gradatim::api::component<gradatim::process::VpPath, gradatim::process::BetaRange>(
        gradatim::process::kText, gradatim::process::kBetaRange);
