// Mixture: normal distributions with diagonal covariances, of which everything is known exactly
// under every path: density, score, denoiser, samples and, of one component, the flow.
//
// Of component k, x_t is normal with mean alpha m and variance v = alpha^2 s^2 + sigma^2, so that
// E[data | x, k] = m + alpha s^2 / v (x - alpha m) and E[noise | x, k] = sigma / v (x - alpha m):
// finite at both ends of a path. The mixture weighs these by the chances of the components given x.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/process/prediction.h"

namespace gradatim::process {

struct Mixture {
  std::vector<double> weights = {};     // [k], sum to 1
  std::vector<double> means = {};       // [k, dims]
  std::vector<double> deviations = {};  // [k, dims]
  std::int64_t dims = 1;
  std::vector<std::int64_t> labels = {};  // [k], what each component is part of; empty: itself

  std::size_t components() const { return weights.size(); }
  std::int64_t label_of(std::size_t k) const {
    return labels.empty() ? static_cast<std::int64_t>(k) : labels[k];
  }
  std::int64_t label_count() const;
};

/// "Of any component", where a label is wanted.
inline constexpr std::int64_t kAnyLabel = -1;

/// x_t at one point of a path: a mixture again. Reads the Mixture, which must outlive it.
class Marginal {
 public:
  /// Room for the chances of the components and what they predict; one a thread.
  struct Scratch {
    std::vector<double> chance, other, mean, slope;
  };

  Marginal(const Mixture& mixture, const PathPoint& point);

  const PathPoint& point() const { return point_; }
  /// ln p_t(x | label), in nats.
  double log_prob(const double* x, std::int64_t label, Scratch& scratch) const;
  /// target.data E[data | x, label] + target.noise E[noise | x, label].
  void predict(const double* x, std::int64_t label, const Target& target, double* out,
               Scratch& scratch) const;
  /// w^T times the derivative of that with respect to x.
  void product(const double* x, std::int64_t label, const Target& target, const double* w,
               double* out, Scratch& scratch) const;
  /// The gradient of ln p(label | x_t), an exact classifier's.
  void classifier(const double* x, std::int64_t label, double* out, Scratch& scratch) const;

 private:
  double chances(const double* x, std::int64_t label, std::vector<double>& chance) const;
  void weigh(const double* x, const Target& target, double* out, Scratch& scratch) const;

  const Mixture& mixture_;
  PathPoint point_;
  std::vector<double> centre_, inverse_, shrink_;  // [k, dims]: alpha m, 1 / v, alpha s^2 / v
  std::vector<double> constant_;                   // [k], of the log-density
};

/// Exact samples of the data, [rows, dims]: row k is a pure function of (seed, first_row + k), and
/// of the label that is asked for.
void draw(const Mixture& mixture, std::uint64_t seed, std::int64_t first_row, std::int64_t label,
          std::span<double> out);

/// The probability flow of one normal distribution in closed form, in place: x [rows, dims] at
/// `from` goes to `to`. Whether it is known: false where the label leaves several components.
bool flow_exactly(const Mixture& mixture, std::int64_t label, const PathPoint& from,
                  const PathPoint& to, std::span<double> x);

}  // namespace gradatim::process
