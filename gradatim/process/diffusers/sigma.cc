#include "gradatim/process/diffusers/sigma.h"

#include <algorithm>
#include <cmath>

namespace gradatim::process::diffusers {

Plan scaled_plan(const Config& config, const Grid& grid, int order) {
  const double largest = *std::ranges::max_element(grid.sigmas);
  return {.timesteps = grid.timesteps,
          .sigmas = grid.sigmas,
          .init_noise_sigma =
              config.is("timestep_spacing", "leading") ? std::hypot(largest, 1.0) : largest,
          .order = order};
}

Call scaled_call(const Grid& grid, std::size_t i) {
  return {.timestep = grid.timesteps[i],
          .input_scale = 1.0 / std::hypot(grid.sigmas[i], 1.0),
          .level = {1.0, grid.sigmas[i]}};
}

Grid twice(const Grid& grid) {
  Grid doubled;
  for (std::size_t i = 0; i < grid.timesteps.size(); ++i) {
    for (int k = i == 0 ? 1 : 0; k < 2; ++k) {
      doubled.timesteps.push_back(grid.timesteps[i]);
      doubled.sigmas.push_back(grid.sigmas[i]);
    }
  }
  doubled.sigmas.push_back(0.0);
  return doubled;
}

Plan placed(Plan plan, const Grid& grid, std::size_t begin) {
  std::vector<Call> before;
  for (std::size_t i = 0; i < std::min(begin, grid.timesteps.size()); ++i) {
    before.push_back(scaled_call(grid, i));
  }
  plan.calls.insert(plan.calls.begin(), before.begin(), before.end());
  return plan;
}

AncestralSplit ancestral_split(double from, double to) {
  const double up = std::sqrt(to * to * (from * from - to * to) / (from * from));
  return {std::sqrt(to * to - up * up), up};
}

}  // namespace gradatim::process::diffusers
