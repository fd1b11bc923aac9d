// sample(): the loop of all generative models. It owns batches, noise, progress and cancelling.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "gradatim/core/observer.h"
#include "gradatim/process/denoiser.h"
#include "gradatim/process/grid.h"
#include "gradatim/process/noise.h"
#include "gradatim/process/solver.h"

namespace gradatim::process {

class Energy;

struct SampleRequest {
  std::int64_t rows = 1, dims = 1;
  std::int64_t first_row = 0;  // place of row 0 in a larger sampling
  std::uint64_t seed = 0;
  std::vector<double> times;  // a grid's
  std::shared_ptr<const Solver> solver;
  std::shared_ptr<const Noise> noise;
  // One that has been drawn from already, instead of a new one of `noise` with the seed; or none.
  std::shared_ptr<NoiseSource> source = nullptr;
  ConditionPtr condition;
  ConditionPtr negative;      // what classifier-free guidance leads away from; null is "anything"
  std::int64_t batch = 4096;  // rows at a time; the result does not depend on it
  std::vector<double> start;  // [rows, dims]: instead of draws from the prior, or empty
  // Of a Sampler: the path that the field was trained on, where that is another one, and the energy
  // that guidance by a classifier climbs. Where that knows the label, the condition is left out.
  std::shared_ptr<const Path> trained;
  std::shared_ptr<const Energy> energy;
  BetweenSteps between = {};  // also called with step 0 and the state to start from
  Observer* observer = nullptr;
};

/// Samples [rows, dims], row-major.
std::vector<float> sample(const Denoiser& denoiser, const SampleRequest& request);

}  // namespace gradatim::process
