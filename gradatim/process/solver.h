// Solver: from noise to data along a path, by evaluations of a Denoiser.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "gradatim/process/denoiser.h"
#include "gradatim/process/planner.h"

namespace gradatim::process {

/// Called between steps: the step (from 1), its state's time, and the state, which may be replaced
/// (inpainting). Where it throws, sampling stops.
using BetweenSteps = std::function<void(std::int64_t step, double t, Vec& state)>;

struct Problem {
  Space& space;
  const Denoiser& denoiser;
  ConditionPtr condition;
  std::span<const double> times;       // of the grid, noise first
  std::span<const std::int64_t> rows;  // places of the states in the whole sampling
  BetweenSteps between = {};
};

class Solver {
 public:
  using Interface = Solver;
  static constexpr std::string_view kKind = "process.solver";
  virtual ~Solver() = default;

  /// From `x` at times.front() to times.back(). NumericError GRD-4021 where a number is not finite.
  virtual Vec solve(const Problem& problem, Vec x) const = 0;
  /// The program of a solver whose steps are linear.
  virtual std::optional<Program> program(const Path&, std::span<const double>) const {
    return std::nullopt;
  }
  /// Grid steps that so many evaluations pay for, at least 1; 0 where it cannot be said.
  virtual int steps_for(int evaluations) const { return evaluations; }
};

/// A solver of linear steps: it only lays out its program.
class LinearSolver : public Solver {
 public:
  Vec solve(const Problem& problem, Vec x) const final;
  std::optional<Program> program(const Path& path, std::span<const double> times) const final;

 protected:
  virtual void lay(Planner& plan) const = 0;
  /// An inversion: its grids go from data to noise.
  virtual bool rising() const { return false; }
};

}  // namespace gradatim::process
