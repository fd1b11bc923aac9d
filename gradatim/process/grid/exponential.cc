// ln(sigma / alpha) even from the largest to the smallest noise level, then 0.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct ExponentialConfig {
  double sigma_min = 0.0;
  double sigma_max = 0.0;
};

class Exponential final : public Grid {
 public:
  explicit Exponential(const ExponentialConfig& config) : config_(config) {}

  std::vector<double> times(const Path& path, int steps) const override {
    const double high = largest_ratio(path, config_.sigma_max);
    const double low = smallest_ratio(path, config_.sigma_min);
    return times_of(path, log_even(high, low, steps - 1));
  }

 private:
  ExponentialConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&ExponentialConfig::sigma_min>(
        {.doc = "sigma / alpha before the step to exact data; 0 takes the path's.",
         .range = api::at_least(0.0)}),
    api::setting<&ExponentialConfig::sigma_max>(
        {.doc = "sigma / alpha to begin at; 0 takes the path's.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.exponential",
    .summary = "Noise levels even in their logarithm, and a step to exact data.",
    .source =
        "Karras et al. (2022), Elucidating the design space of diffusion-based generative "
        "models, appendix C; the limit of large rho",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_exponential) =
    gradatim::api::component<gradatim::process::Exponential, gradatim::process::ExponentialConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
