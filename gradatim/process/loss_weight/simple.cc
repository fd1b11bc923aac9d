// 1, whatever the field predicts.
#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

class SimpleWeight final : public LossWeight {
 public:
  double at(const PathPoint&, const Prediction&) const override { return 1.0; }
};

constexpr api::Text kText = {
    .name = "process.loss_weight.simple",
    .summary = "Every noise level counts alike in the loss of the field's own prediction.",
    .detail = "So the same name weighs differently for different predictions.",
    .source = "Ho, Jain and Abbeel (2020), Denoising diffusion probabilistic models, equation 14",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_simple) =
    gradatim::api::component<gradatim::process::SimpleWeight, gradatim::api::NoSettings>(
        gradatim::process::kText);
