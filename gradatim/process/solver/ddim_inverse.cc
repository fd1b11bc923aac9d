// The probability flow from data to noise: x_b = (alpha_b / alpha_a) x_a + sum w_j E_j on a rising
// grid. From exact data, whose noise has mean 0 where the density is smooth, the mean of that and
// of the noise predicted at b.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"
#include "gradatim/process/solver/continuation_settings.h"

namespace gradatim::process {
namespace {

struct DdimInverseConfig {
  int order = 1;
  double data_scale = 0.5;
};

class DdimInverse final : public LinearSolver {
 public:
  explicit DdimInverse(const DdimInverseConfig& config)
      : order_(config.order), how_{Basis::gain, config.data_scale} {}

 protected:
  void lay(Planner& plan) const override {
    const int first = plan.point(0).sigma == 0.0 ? 1 : 0;  // point with a prediction of the noise
    if (first == 1) {
      const PathPoint& b = plan.point(1);
      plan.set(kGuess, Sum().add(b.alpha, kState));
      Sum next = Sum().add(1.0, kGuess).add(0.5 * b.sigma, noise_of(b, kGuess));
      plan.ask(b, kGuess).let(kState, std::move(next)).reach(1);
    }
    for (int i = first; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a);
      if (b.alpha == 0.0) {
        plan.let(kState, jump(a, b)).reach(i + 1);
        continue;
      }
      const auto nodes = plan.behind(i, std::min(order_, i - first + 1));
      const auto weights = noise_weights(a, b, nodes, how_);
      Sum next = Sum().add(b.alpha / a.alpha, kState).add(weights[0], noise_of(a));
      for (std::size_t j = 1; j < weights.size(); ++j) {
        next.add(weights[j], slot(i - static_cast<int>(j)));
      }
      plan.let(kState, std::move(next)).let(slot(i), noise_of(a)).reach(i + 1);
    }
  }
  bool rising() const override { return true; }

 private:
  static constexpr int kGuess = 1;
  int slot(int i) const { return 2 + i % order_; }

  int order_;
  Continuation how_;
};

constexpr api::Setting kSettings[] = {
    order_setting<DdimInverseConfig>(),
    data_scale_setting<DdimInverseConfig>(),
};

constexpr api::Text kText = {
    .name = "process.solver.ddim_inverse",
    .summary = "From data to noise along the probability flow, on a grid that rises.",
    .detail = "Order 1 is the inversion of DDIM; higher orders use the predictions so far.",
    .source = "Song, Meng and Ermon (2021), Denoising diffusion implicit models, section 4.3",
    .shape = "state: [rows, dims]",
    .errors = "GRD-1112 the grid falls; GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_ddim_inverse) =
    gradatim::api::component<gradatim::process::DdimInverse, gradatim::process::DdimInverseConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
