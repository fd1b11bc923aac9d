// TablePath: the variance-preserving path of a table of betas.
//
// Entry k of T betas stands at t = (k + 1) / T, and t = 0 is exact data. Between entries
// ln alpha_bar is linear, which is the diffusion of constant beta in each interval.
// alpha_bar_k = prod_{j <= k} (1 - beta_j), alpha = sqrt(alpha_bar), sigma = sqrt(1 - alpha_bar).
#pragma once

#include <span>
#include <vector>

#include "gradatim/process/path.h"

namespace gradatim::process {

class TablePath : public Path {
 public:
  PathPoint at(double t) const override;
  double time_of(double ratio) const override;
  /// The first entry with noise.
  double first() const override;
  /// The discrete index that networks are told, t T - 1.
  double model_time(double t) const override { return t * static_cast<double>(size()) - 1.0; }

  std::size_t size() const { return log_.size() - 1; }
  /// alpha_bar of entry k.
  double alpha_bar(std::size_t k) const;

 protected:
  /// UsageError GRD-1102 where a beta is not in [0, 1] or all are 0. With `zero_terminal_snr`,
  /// sqrt(alpha_bar) is shifted and scaled so that the last one is 0 and the first stays.
  explicit TablePath(std::span<const double> betas, bool zero_terminal_snr = false);

 private:
  std::vector<double> log_;  // -ln alpha_bar at t = k / T: rising from 0, the last may be infinite
};

/// `steps` numbers from `begin` to `end`, both included.
std::vector<double> even(double begin, double end, int steps);
/// Betas of a function alpha_bar(t) on [0, 1]: 1 - alpha_bar((k + 1) / T) / alpha_bar(k / T), at
/// most `most`.
template <class F>
std::vector<double> betas_of(int steps, double most, const F& alpha_bar) {
  std::vector<double> betas;
  for (int k = 0; k < steps; ++k) {
    const double ratio = alpha_bar((k + 1.0) / steps) / alpha_bar(double(k) / steps);
    betas.push_back(1.0 - ratio < most ? 1.0 - ratio : most);
  }
  return betas;
}

}  // namespace gradatim::process
