// D = c_skip x + c_out F(c_in x): F is the network inside EDM's preconditioning, on any path by
// x / alpha and sigma / alpha. With r = sigma / alpha and s = data_scale: c_skip = s^2 / (r^2 +
// s^2), c_out = r s / sqrt(r^2 + s^2), c_in = 1 / sqrt(r^2 + s^2), all of y = x / alpha.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/prediction.h"

namespace gradatim::process {
namespace {

struct EdmConfig {
  double data_scale = 0.5;
};

class EdmPrediction final : public Prediction {
 public:
  explicit EdmPrediction(const EdmConfig& config) : s_(config.data_scale) {}

  // F = (D - c_skip y) / c_out with y = D + r E, in alpha and sigma so that both ends are finite.
  Target target(const PathPoint& p) const override {
    const double norm = std::hypot(p.sigma, p.alpha * s_);
    return {.data = p.sigma / (norm * s_), .noise = -p.alpha * s_ / norm};
  }
  double input_scale(const PathPoint& p) const override {
    return 1.0 / std::hypot(p.sigma, p.alpha * s_);
  }

 private:
  double s_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&EdmConfig::data_scale>(
        {.doc = "Standard deviation of the data, sigma_data.", .range = api::above(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.prediction.edm",
    .summary = "The network inside EDM's preconditioning.",
    .detail = "The field sees the state scaled to unit variance.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, table 1",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_prediction_edm) =
    gradatim::api::component<gradatim::process::EdmPrediction, gradatim::process::EdmConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
