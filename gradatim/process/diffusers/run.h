// run(): the loop of diffusers' pipelines around a scheduler, from noise to the last sample.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>

#include "gradatim/process/diffusers/scheduler.h"
#include "gradatim/process/field.h"

namespace gradatim::process::diffusers {

struct Guiding {
  double weight = 1.0;   // 1: the condition alone
  double rescale = 0.0;  // towards the deviation without guidance
  // Noise-to-signal ratios that are guided; outside, the condition is asked for alone.
  double low = 0.0, high = std::numeric_limits<double>::infinity();
};

/// What a field puts out at a timestep; the states are as the network takes them.
using Output = std::function<void(const Vec& x, double timestep,
                                  std::span<const ConditionPtr> conditions, std::span<Vec> out)>;

struct Loop {
  Space& space;
  Scheduler& scheduler;  // with its timesteps set
  Output output;
  ConditionPtr condition, negative;
  Guiding guiding;
  std::size_t begin = 0;  // the call to start with
  // Behind each call: how many are done, the timestep of the next one, and the state, which may be
  // replaced.
  std::function<void(std::size_t done, std::optional<double> next, Vec& x)> between;
};

/// From the state in front of call `begin` to the last one. Errors of Scheduler::step().
Vec run(const Loop& loop, Vec x);

}  // namespace gradatim::process::diffusers
