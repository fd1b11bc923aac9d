// F = -E / sigma: the gradient of the log-density of x_t.
#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

class ScorePrediction final : public Prediction {
 public:
  Target target(const PathPoint& p) const override {
    return {.data = 0.0, .noise = -1.0 / p.sigma};
  }
};

constexpr api::Text kText = {
    .name = "process.prediction.score",
    .summary = "The field predicts the score, the gradient of log p(x_t).",
    .detail = "It says nothing about the data where alpha = 0.",
    .source =
        "Song et al. (2021), Score-based generative modeling through stochastic "
        "differential equations",
    .errors = "GRD-4020 asked for data where alpha = 0",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_score) =
    gradatim::api::component<gradatim::process::ScorePrediction, gradatim::api::NoSettings>(
        gradatim::process::kText);
