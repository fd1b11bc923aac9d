// F = D: the field predicts the clean data.
#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

class DataPrediction final : public Prediction {
 public:
  Target target(const PathPoint&) const override { return {.data = 1.0, .noise = 0.0}; }
};

constexpr api::Text kText = {
    .name = "process.prediction.data",
    .summary = "The field predicts the clean data, x0.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, section 3.2",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_data) =
    gradatim::api::component<gradatim::process::DataPrediction, gradatim::api::NoSettings>(
        gradatim::process::kText);
