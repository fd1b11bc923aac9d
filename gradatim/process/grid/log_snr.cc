// ln(alpha^2 / sigma^2) even from the end of the path to first(), N steps. It ends there, without a
// step to exact data, whose log-SNR is infinite.
#include "gradatim/api/export.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct LogSnrConfig {
  double sigma_min = 0.0;
  double sigma_max = 0.0;
};

class LogSnr final : public Grid {
 public:
  explicit LogSnr(const LogSnrConfig& config) : config_(config) {}

  std::vector<double> times(const Path& path, int steps) const override {
    check_steps(steps);
    const double high = largest_ratio(path, config_.sigma_max);
    const double low = smallest_ratio(path, config_.sigma_min);
    auto times = times_of(path, log_even(high, low, steps));
    times.pop_back();
    return times;
  }

 private:
  LogSnrConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&LogSnrConfig::sigma_min>(
        {.doc = "sigma / alpha to end at; 0 takes the path's.", .range = api::at_least(0.0)}),
    api::setting<&LogSnrConfig::sigma_max>(
        {.doc = "sigma / alpha to begin at; 0 takes the path's.", .range = api::at_least(0.0)}),
};

constexpr api::Text kText = {
    .name = "process.grid.log_snr",
    .summary = "Even steps of the log-SNR that end at the least noise of training.",
    .detail =
        "Unlike exponential it has no last step to exact data: the samples keep noise of "
        "the standard deviation sigma(first).",
    .source =
        "Lu et al. (2022), DPM-Solver: a fast ODE solver for diffusion probabilistic "
        "model sampling in around 10 steps, section 3.3",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_log_snr) =
    gradatim::api::component<gradatim::process::LogSnr, gradatim::process::LogSnrConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
