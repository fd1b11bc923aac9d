// An ancestral step to b, then Langevin steps at b: x + size score + sqrt(2 size) z with size = 2
// alpha (snr |z| / |score|)^2, row by row.
#include "gradatim/api/export.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {
namespace {

struct PredictorCorrectorConfig {
  double eta = 1.0;
  double snr = 0.16;
  int corrections = 1;
};

class PredictorCorrector final : public LinearSolver {
 public:
  explicit PredictorCorrector(const PredictorCorrectorConfig& config) : config_(config) {}
  int steps_for(int evaluations) const override {
    return std::max(1, (evaluations + config_.corrections) / (1 + config_.corrections));
  }

 protected:
  void lay(Planner& plan) const override {
    for (int i = 0; i < plan.steps(); ++i) {
      const PathPoint& a = plan.point(i);
      const PathPoint& b = plan.point(i + 1);
      plan.ask(a).let(kState, jump(a, b, config_.eta * posterior_deviation(a, b)));
      for (int k = 0; k < config_.corrections && b.sigma > 0.0; ++k) {
        plan.ask(b).langevin(config_.snr);
      }
      plan.reach(i + 1);
    }
  }

 private:
  PredictorCorrectorConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&PredictorCorrectorConfig::eta>(
        {.doc = "Share of the posterior's noise in the predictor, as ddim's.",
         .range = api::between(0.0, 1.0)}),
    api::setting<&PredictorCorrectorConfig::snr>(
        {.doc = "Signal-to-noise ratio of a Langevin step, which sets its size.",
         .range = api::above(0.0)}),
    api::setting<&PredictorCorrectorConfig::corrections>(
        {.doc = "Langevin steps, and evaluations, after each step but the last.",
         .range = api::between(0, 100)}),
};

constexpr api::Text kText = {
    .name = "process.solver.predictor_corrector",
    .summary = "Ancestral steps, each followed by Langevin steps.",
    .detail =
        "The size of a Langevin step follows the row's own norms, so it suits states of "
        "many columns.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations, algorithms 3 to 5",
    .shape = "state: [rows, dims]",
    .errors = "GRD-4021 a number is not finite",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_solver_predictor_corrector) = gradatim::api::component<
    gradatim::process::PredictorCorrector, gradatim::process::PredictorCorrectorConfig>(
    gradatim::process::kText, gradatim::process::kSettings);
