// alpha = cos(pi t / 2), sigma = sin(pi t / 2).
#include <cmath>
#include <numbers>

#include "gradatim/api/export.h"
#include "gradatim/process/path.h"

namespace gradatim::process {
namespace {

class TrigonometricPath final : public Path {
 public:
  PathPoint at(double t) const override {
    constexpr double kQuarter = std::numbers::pi / 2.0;
    const double c = t == 1.0 ? 0.0 : std::cos(kQuarter * t);
    const double s = std::sin(kQuarter * t);
    return {t, c, s, -kQuarter * s, kQuarter * c};
  }
  double time_of(double ratio) const override { return std::atan(ratio) * 2.0 / std::numbers::pi; }
};

constexpr api::Text kText = {
    .name = "process.path.trigonometric",
    .summary = "Variance preserving, at even speed along the circle.",
    .source =
        "Albergo and Vanden-Eijnden (2023), Building normalizing flows with stochastic "
        "interpolants",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_path_trigonometric) =
    gradatim::api::component<gradatim::process::TrigonometricPath, gradatim::api::NoSettings>(
        gradatim::process::kText);
