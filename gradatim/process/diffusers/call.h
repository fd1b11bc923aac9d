// Call: one step() of a scheduler, worked out before it happens.
//
// Every scheduler of diffusers is a list of Calls: clean data D as a combination of the sample x
// and the raw output F, perhaps clamped, and then places that become combinations of x, D, F, noise
// and stored places. All coefficients are float64.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradatim/process/program.h"

namespace gradatim::process::diffusers {

/// Places besides kState (the sample), kAnswer (D, treated) and the stored ones from 1 on.
inline constexpr int kOutput = -2;
inline constexpr int kNoise = -3;

enum class Treatment {
  none,
  clamp,     // D held in [-most, most]
  quantile,  // D held in and divided by the quantile `level` of |D|, itself held in [1, most]
};

/// x = alpha data + sigma noise.
struct Level {
  double alpha = 1.0, sigma = 0.0;
};

struct Call {
  double timestep = 0.0;
  double input_scale = 1.0;  // of what scale_model_input returns
  Level level;               // of add_noise at this timestep
  Sum data;                  // D
  Treatment treatment = Treatment::none;
  double level_of_quantile = 0.995, most = 1.0;
  bool draws = false;             // whether noise is drawn, used or not
  int in = kState, out = kState;  // the place that the given sample is, and the one returned
  std::vector<Move> moves;

  Call& let(int slot, Sum sum) {
    moves.push_back({slot, std::move(sum)});
    return *this;
  }
};

/// What set_timesteps and the keywords of step say.
struct Request {
  std::optional<int> steps;
  std::vector<double> timesteps, sigmas;
  std::optional<double> mu;
  std::optional<double> eta;
  double churn = 0.0, churn_from = 0.0, churn_to = 1e300, noise_scale = 1.0;
  std::size_t begin = 0;  // the call that sampling starts with
};

struct Plan {
  std::vector<double> timesteps, sigmas;
  double init_noise_sigma = 1.0;
  int order = 1;
  bool by_time = false;  // calls are found by their timestep each time, not counted
  int slots = 1;
  std::vector<Call> calls;
};

class Config;

/// Where a class takes its timesteps from.
enum class Spacing {
  whole,      // whole timesteps of training
  scaled,     // levels of states data + sigma noise
  multistep,  // levels of the exponential integrators
  edm,        // levels from sigma_max to sigma_min
  flow,       // shifted levels from 1
};

/// A class of diffusers: its name, its defaults (JSON), how its calls are laid in compat mode, and
/// the settings (JSON) of the solver that takes its place in correct mode (null: its own calls).
struct Family {
  std::string_view name, defaults;
  Plan (*lay)(const Config&, const Request&);
  Spacing spacing = Spacing::whole;
  std::string (*solver)(const Config&, const Request&) = nullptr;
};

}  // namespace gradatim::process::diffusers
