// StepCost: what each step back of a diffusion costs, where the field says its variance (Nichol and
// Dhariwal 2021, Improved denoising diffusion probabilistic models, section 3.1).
//
// A step goes from t to s, the place before it in a table of T. D = a x + b F is the data
// predicted, e the error of the output F, SNR = alpha^2 / sigma^2, L = ln(sigma_t^2 / sigma_s^2), q
// the variance of the posterior q(x_s | x_t, x), and f = (v + 1) / 2 with v the output's second
// half. The variance of the model's step is q exp(f L), and its cost in nats a number
//
//   KL(q(x_s | x_t, x) || p(x_s | x_t)) = (f L + exp(-f L) - 1 + k e^2 exp(-f L)) / 2,
//   k = (SNR_s - SNR_t) b^2.
//
// At s = 0, where q = 0, the cost is -ln p(x | x_t): of the density, (ln 2 pi q' + f L' + e^2 b^2 /
// q' exp(-f L')) / 2 between q', the second step's q, and exp(L') q' = sigma_t^2; or of the bin
// that a byte stands for, with the ends of their range open.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "gradatim/neural/nn/tensor.h"
#include "gradatim/neural/train/scale.h"
#include "gradatim/process/path.h"
#include "gradatim/process/prediction.h"

namespace gradatim::neural {

/// The terms of a step that do not depend on the network.
struct StepTerms {
  double log_range = 0.0;  // L
  double error = 0.0;      // k
  double offset = 0.0;     // ln(2 pi q') at s = 0
  bool to_data = false;
  double gain = 0.0;       // b
  double log_least = 0.0;  // ln q' at s = 0
};

/// The times that steps go between: the table of a path that has one, else a thousand even ones.
class StepTable {
 public:
  explicit StepTable(std::shared_ptr<const process::Path> path);

  std::int64_t steps() const { return steps_; }
  /// The time of place 0 (data) to steps().
  double time(std::int64_t place) const;
  /// The place at a time or behind it, 1 to steps().
  std::int64_t place(double t) const;
  /// Of the step from a place to the one before.
  StepTerms terms(std::int64_t place, const process::Prediction& prediction) const;

 private:
  process::PathPoint at(std::int64_t place) const { return path_->at(time(place)); }
  std::shared_ptr<const process::Path> path_;
  std::int64_t steps_;
};

/// Half the width of the bin of a byte, and the first and the last bin's middle, as states.
struct Bins {
  double half = 0.0, low = 0.0, high = 0.0;
};

/// The terms of a batch, [rows, 1, ...] each, on the device of its data.
struct StepCosts {
  Tensor log_range, error, offset;
  Tensor to_data;  // 1 or 0
  Tensor binned;   // int64: rows whose step goes to bytes
  Tensor gain, log_least;
  Tensor data;  // [rows, ...]: clean
  Bins bins;    // of width 0 where data are not bytes
};
StepCosts step_costs(std::span<const StepTerms> terms, const Tensor& data, const Bins& bins);

struct Cost {
  Tensor cost;      // nats, of each number
  Tensor gradient;  // by v
};
/// `error` and `v` [rows, ...]. The mean is taken as given: nothing goes back to it.
Cost step_cost(const Tensor& error, const Tensor& v, const StepCosts& steps);

}  // namespace gradatim::neural
