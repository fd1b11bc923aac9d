// Of some hundred candidate noise levels the N that minimise what first-order steps err on normal
// data of standard deviation s: with y = x / alpha and r = sigma / alpha a trajectory is y =
// sqrt(s^2 + r^2) and D = s^2 / y, a step from r to q gives D + (q / r) (y - D), and an error at q
// grows by s / sqrt(s^2 + q^2) on the way to the data. The sum is least along a shortest path,
// found by dynamic programming.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/process/grid.h"

namespace gradatim::process {
namespace {

struct OptimisedConfig {
  double data_scale = 0.5;
  double sigma_min = 0.0;
  double sigma_max = 0.0;
  int candidates = 400;
};

class Optimised final : public Grid {
 public:
  explicit Optimised(const OptimisedConfig& config) : config_(config) {}

  std::vector<double> times(const Path& path, int steps) const override {
    GRADATIM_CHECK(steps <= 2000, UsageError, 1110,
                   "the optimised grid is of at most 2000 steps, not {}; more gain nothing by it",
                   steps);
    const double high = largest_ratio(path, config_.sigma_max);
    const double low = smallest_ratio(path, config_.sigma_min);
    auto levels = log_even(high, low, std::max(config_.candidates, steps + 100) - 1);
    const std::size_t count = levels.size();
    levels.push_back(0.0);
    std::vector<double> cost(count + 1, INFINITY);  // of reaching a level with the steps so far
    cost[0] = 0.0;
    std::vector<std::vector<std::size_t>> from;
    for (int step = 0; step < steps; ++step) {
      check_interrupt();
      std::vector<double> next(count + 1, INFINITY);
      auto& best = from.emplace_back(count + 1);
      for (std::size_t i = 0; i < count; ++i) {
        if (!std::isfinite(cost[i])) continue;
        const double y = std::hypot(config_.data_scale, levels[i]);
        const double d = config_.data_scale * config_.data_scale / y;
        const double slope = (y - d) / levels[i];
        for (std::size_t j = i + 1; j <= count; ++j) {
          const double exact = std::hypot(config_.data_scale, levels[j]);
          const double error = std::abs(d + slope * levels[j] - exact) * config_.data_scale / exact;
          if (cost[i] + error >= next[j]) continue;
          next[j] = cost[i] + error;
          best[j] = i;
        }
      }
      cost = std::move(next);
    }
    std::vector<double> chosen;
    for (std::size_t level = count, k = from.size(); k-- > 0;) {
      level = from[k][level];
      chosen.push_back(levels[level]);
    }
    return times_of(path, {chosen.rbegin(), chosen.rend()});
  }

 private:
  OptimisedConfig config_;
};

constexpr api::Setting kSettings[] = {
    api::setting<&OptimisedConfig::data_scale>(
        {.doc = "Standard deviation of the data that the steps are best for.",
         .range = api::above(0.0)}),
    api::setting<&OptimisedConfig::sigma_min>(
        {.doc = "sigma / alpha before the step to exact data; 0 takes the path's.",
         .range = api::at_least(0.0)}),
    api::setting<&OptimisedConfig::sigma_max>(
        {.doc = "sigma / alpha to begin at; 0 takes the path's.", .range = api::at_least(0.0)}),
    api::setting<&OptimisedConfig::candidates>(
        {.doc = "Noise levels to choose from, even in their logarithm.",
         .range = api::between(10, 2000)}),
};

constexpr api::Text kText = {
    .name = "process.grid.optimised",
    .summary = "The noise levels of least error for the number of steps, on normal data.",
    .detail = "Measured in first-order steps; the grids suit methods of higher order too.",
    .source =
        "Watson et al. (2021), Learning to efficiently sample from diffusion "
        "probabilistic models, for the dynamic programming",
};

}  // namespace
}  // namespace gradatim::process

GRADATIM_EXPORT(process_grid_optimised) =
    gradatim::api::component<gradatim::process::Optimised, gradatim::process::OptimisedConfig>(
        gradatim::process::kText, gradatim::process::kSettings);
