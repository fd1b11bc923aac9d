// F = E: the field predicts the noise (DDPM's epsilon).
#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

class NoisePrediction final : public Prediction {
 public:
  Target target(const PathPoint&) const override { return {.data = 0.0, .noise = 1.0}; }
};

constexpr api::Text kText = {
    .name = "process.prediction.noise",
    .summary = "The field predicts the noise, epsilon.",
    .detail = "It says nothing about the data where alpha = 0.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, section 3.2",
    .errors = "GRD-4020 asked for data where alpha = 0",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_noise) =
    gradatim::api::component<gradatim::process::NoisePrediction, gradatim::api::NoSettings>(
        gradatim::process::kText);
