// An ancestral step to b, then Langevin steps at b: x + size score + sqrt(2 size) z. The published
// size, 2 (snr |z| / |score|)^2, takes the norms of the batch; here they are those of the noise
// that x holds, 1 and 1 / sigma an element: with the norms of rows, a row of few columns whose
// score happens to be near 0 would leap. So size = 2 (snr sigma)^2, and size score = 2 snr^2 (alpha
// D - x).
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
        const double share = 2.0 * config_.snr * config_.snr;
        plan.ask(b).let(kState, Sum()
                                    .add(1.0 - share, kState)
                                    .add(share * b.alpha, kAnswer)
                                    .add_noise(2.0 * config_.snr * b.sigma, Stream::langevin));
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
         .range = api::above_to(0.0, 0.7)}),
    api::setting<&PredictorCorrectorConfig::corrections>(
        {.doc = "Langevin steps, and evaluations, after each step but the last.",
         .range = api::between(0, 100)}),
};

constexpr api::Text kText = {
    .name = "process.solver.predictor_corrector",
    .summary = "Ancestral steps, each followed by Langevin steps.",
    .detail =
        "The size of a Langevin step is 2 (snr sigma)^2: the paper's, with the expected norms in "
        "place of the batch's, so that rows do not depend on each other.",
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
