// F = alpha E - sigma D: on a path of alpha^2 + sigma^2 = 1 the derivative by the angle.
#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

class VPrediction final : public Prediction {
 public:
  Target target(const PathPoint& p) const override { return {.data = -p.sigma, .noise = p.alpha}; }
};

constexpr api::Text kText = {
    .name = "process.prediction.v",
    .summary = "The field predicts v = alpha noise - sigma data.",
    .detail = "Well defined at both ends of every path.",
    .source =
        "Salimans and Ho (2022), Progressive distillation for fast sampling of diffusion "
        "models, appendix D",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_v) =
    gradatim::api::component<gradatim::process::VPrediction, gradatim::api::NoSettings>(
        gradatim::process::kText);
