// g^2 |score error|^2 = g^2 / sigma^2 |E - noise|^2: minus the slope of the log-SNR.
#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

class LikelihoodWeight final : public LossWeight {
 public:
  double at(const PathPoint& p, const Prediction& prediction) const override {
    return from_noise_weight(p.diffusion() / (p.sigma * p.sigma), p, prediction);
  }
};

constexpr api::Text kText = {
    .name = "process.loss_weight.likelihood",
    .summary = "Twice the bound of the negative log-likelihood, for t drawn evenly.",
    .detail =
        "g^2 / sigma^2 in the loss of predicted noise, which is minus the slope of the log-SNR; it "
        "has no bound as t goes to 0.",
    .source =
        "Song et al. (2021), Maximum likelihood training of score-based diffusion models, theorem "
        "1",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_likelihood) =
    gradatim::api::component<gradatim::process::LikelihoodWeight, gradatim::api::NoSettings>(
        gradatim::process::kText);
