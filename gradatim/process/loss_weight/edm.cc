// (r^2 + s^2) / (r s)^2 |D - data|^2 with r = sigma / alpha, s = data_scale.
#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

struct EdmWeightConfig {
  double data_scale = 0.5;
};

class EdmWeight final : public LossWeight {
 public:
  explicit EdmWeight(const EdmWeightConfig& config) : config_(config) {}
  double at(const PathPoint& p, const Prediction& prediction) const override {
    return from_data_weight(snr(p) + 1.0 / (config_.data_scale * config_.data_scale), p,
                            prediction);
  }

 private:
  EdmWeightConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&EdmWeightConfig::data_scale>(
        {.doc = "Standard deviation of the data, sigma_data.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.loss_weight.edm",
    .summary =
        "Every noise level counts alike in the loss of the network inside EDM's preconditioning.",
    .detail = "SNR + 1 / data_scale^2 in the loss of predicted data.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative models, "
        "table 1",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_edm) =
    gradatim::api::component<gradatim::process::EdmWeight, gradatim::process::EdmWeightConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
