// max(SNR, 1) |D - data|^2: that of the noise, but for the levels where it would vanish.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

class TruncatedSnrWeight final : public LossWeight {
 public:
  double at(const PathPoint& p, const Prediction& prediction) const override {
    return from_data_weight(std::max(snr(p), 1.0), p, prediction);
  }
};

constexpr api::Text kText = {
    .name = "process.loss_weight.truncated_snr",
    .summary = "The larger of the losses of predicted noise and of predicted data.",
    .detail = "max(SNR, 1) in the loss of predicted data.",
    .source =
        "Salimans and Ho (2022), Progressive distillation for fast sampling of diffusion models, "
        "section 4",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_truncated_snr) =
    gradatim::api::component<gradatim::process::TruncatedSnrWeight, gradatim::api::NoSettings>(
        gradatim::process::kText);
