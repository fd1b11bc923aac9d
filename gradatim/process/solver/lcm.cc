// The consistency step on f = c_skip x + c_out D with c_skip = s^2 / (u^2 + s^2), c_out = u /
// sqrt(u^2 + s^2), u = timestep_scaling (t / first - 1), where t / first - 1 is the index of a
// table of betas.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"
#include "gradatim/process/solver/continuation_settings.h"

namespace gradatim::process {
namespace {

struct LcmConfig {
  double timestep_scaling = 10.0;
  double data_scale = 0.5;
};

class Lcm final : public LinearSolver {
 public:
  explicit Lcm(const LcmConfig& config) : config_(config) {}

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      const double place = config_.timestep_scaling * (a.t / plan.path().first() - 1.0);
      const double norm = std::hypot(place, config_.data_scale);
      const double skip = std::pow(config_.data_scale / norm, 2.0);
      Sum next = Sum().add(b.alpha * skip, kState).add(b.alpha * place / norm, kAnswer);
      plan.ask(a).let(kState, std::move(next.add_noise(b.sigma))).reach(i + 1);
    }
  }

 private:
  LcmConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LcmConfig::timestep_scaling>(
        {.doc = "How fast the boundary condition fades with time.", .range = api::above(0.0)}),
    data_scale_setting<LcmConfig>(),
};

constexpr api::Text kText = {
    .name = "process.solver.lcm",
    .summary =
        "Steps of a latent consistency model, with the boundary condition it was "
        "distilled with.",
    .detail =
        "As consistency, for diffusion models distilled by LCM, whose output is not yet "
        "the end of the flow near the data.",
    .source =
        "Luo et al. (2023), Latent consistency models: synthesizing high-resolution "
        "images with few-step inference, section 4",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_lcm) =
    gradatim::api::component<gradatim::process::Lcm, gradatim::process::LcmConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
