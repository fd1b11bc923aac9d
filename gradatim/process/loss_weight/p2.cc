// 1 / (k + SNR)^gamma |E - noise|^2.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/loss_weight.h"

namespace gradatim::process {
namespace {

struct P2Config {
  double k = 1.0;
  double gamma = 1.0;
};

class P2Weight final : public LossWeight {
 public:
  explicit P2Weight(const P2Config& config) : config_(config) {}
  double at(const PathPoint& p, const Prediction& prediction) const override {
    return from_noise_weight(std::pow(config_.k + snr(p), -config_.gamma), p, prediction);
  }

 private:
  P2Config config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&P2Config::k>(
        {.doc = "Keeps the weight finite where there is no signal.", .range = api::above(0.0)}),
    api::setting<&P2Config::gamma>(
        {.doc = "How strongly low noise is weighed down.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.loss_weight.p2",
    .summary = "Less weight for the levels at which only fine detail is missing.",
    .detail = "1 / (k + SNR)^gamma in the loss of predicted noise; gamma 0 is that loss itself.",
    .source = "Choi et al. (2022), Perception prioritized training of diffusion models, equation 8",
    .errors = "GRD-4020 the prediction says nothing there",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_loss_weight_p2) =
    gradatim::api::component<gradatim::process::P2Weight, gradatim::process::P2Config>(
        gradatim::process::kText, gradatim::process::kSettings);
