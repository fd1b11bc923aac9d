// min(SNR, gamma) |D - data|^2.
#include <algorithm>

#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

struct MinSnrConfig {
  double gamma = 5.0;
};

class MinSnrWeight final : public LossWeight {
 public:
  explicit MinSnrWeight(const MinSnrConfig& config) : config_(config) {}
  double at(const PathPoint& p, const Prediction& prediction) const override {
    return from_data_weight(std::min(snr(p), config_.gamma), p, prediction);
  }

 private:
  MinSnrConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&MinSnrConfig::gamma>({.doc = "The largest weight.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.loss_weight.min_snr",
    .summary = "The signal-to-noise ratio, held to gamma, so that low noise does not rule.",
    .detail =
        "min(SNR, gamma) in the loss of predicted data, and so min(SNR, gamma) / SNR in that of "
        "noise and "
        "min(SNR, gamma) / (SNR + 1) in that of v.",
    .source = "Hang et al. (2023), Efficient diffusion training via min-SNR weighting strategy",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_min_snr) =
    gradatim::api::component<gradatim::process::MinSnrWeight, gradatim::process::MinSnrConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
