// What schedulers share whose samples are data + sigma noise, and whose networks see them divided
// by sqrt(sigma^2 + 1).
#pragma once

#include "gradatim/process/diffusers/schedule.h"

namespace gradatim::process::diffusers {

/// A plan without calls, and its starting level.
Plan scaled_plan(const Config& config, const Grid& grid, int order);
/// The call of timestep i without data or moves.
Call scaled_call(const Grid& grid, std::size_t i);

/// Every level and timestep but the first twice, and 0 behind them: for two calls a step.
Grid twice(const Grid& grid);
/// Puts calls that were laid from a beginning on in their place; the ones before are only known by
/// their timestep and level.
Plan placed(Plan plan, const Grid& grid, std::size_t begin);

struct AncestralSplit {
  double down, up;
};
/// The level to go down to, and the noise added then, from one level to another.
AncestralSplit ancestral_split(double from, double to);

}  // namespace gradatim::process::diffusers
