// F = alpha' D + sigma' E: the velocity dx_t / dt of flow matching. On alpha = 1 - t, sigma = t it
// is noise - data.
#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

class VelocityPrediction final : public Prediction {
 public:
  Target target(const PathPoint& p) const override {
    return {.data = p.alpha_rate, .noise = p.sigma_rate};
  }
};

constexpr api::Text kText = {
    .name = "process.prediction.velocity",
    .summary = "The field predicts the velocity of the probability flow, dx/dt.",
    .detail =
        "Time grows with noise here; a model that was trained with time towards the data "
        "predicts the opposite sign.",
    .source = "Lipman et al. (2023), Flow matching for generative modeling",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_velocity) =
    gradatim::api::component<gradatim::process::VelocityPrediction, gradatim::api::NoSettings>(
        gradatim::process::kText);
