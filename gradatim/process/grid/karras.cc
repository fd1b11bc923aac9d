// ratio_i = (hi^(1/rho) + i / (N - 1) (lo^(1/rho) - hi^(1/rho)))^rho, then 0.
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct KarrasConfig {
  double rho = 7.0;
  double sigma_min = 0.0;
  double sigma_max = 0.0;
};

class Karras final : public Grid {
 public:
  explicit Karras(const KarrasConfig& config) : config_(config) {}

  std::vector<double> times(const Path& path, int steps) const override {
    const double high = std::pow(largest_ratio(path, config_.sigma_max), 1.0 / config_.rho);
    const double low = std::pow(smallest_ratio(path, config_.sigma_min), 1.0 / config_.rho);
    std::vector<double> ratios;
    for (int i = 0; i < steps; ++i) {
      const double part = steps == 1 ? 0.0 : static_cast<double>(i) / (steps - 1);
      ratios.push_back(std::pow(high + part * (low - high), config_.rho));
    }
    return times_of(path, ratios);
  }

 private:
  KarrasConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&KarrasConfig::rho>(
        {.doc = "The larger, the shorter the steps near the data.", .range = api::above(0.0)}),
    api::setting<&KarrasConfig::sigma_min>(
        {.doc = "sigma / alpha before the step to exact data; 0 takes the path's.",
         .range = api::at_least(0.0)}),
    api::setting<&KarrasConfig::sigma_max>(
        {.doc = "sigma / alpha to begin at; 0 takes the path's.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.karras",
    .summary = "Noise levels even in their rho-th root.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, equation 5",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_karras) =
    gradatim::api::component<gradatim::process::Karras, gradatim::process::KarrasConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
