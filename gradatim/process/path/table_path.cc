#include "gradatim/process/path/table_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradatim/core/error.h"

namespace gradatim::process {

TablePath::TablePath(std::span<const double> betas, bool zero_terminal_snr) : log_{0.0} {
  GRADATIM_CHECK(!betas.empty(), UsageError, 1102, "a table of betas needs at least one");
  for (const double beta : betas) {
    GRADATIM_CHECK(beta >= 0.0 && beta <= 1.0, UsageError, 1102,
                   "beta {} at place {} is not in [0, 1]", beta, log_.size() - 1);
    log_.push_back(log_.back() - std::log1p(-beta));
  }
  GRADATIM_CHECK(log_.back() > 0.0, UsageError, 1102,
                 "all {} betas are 0: the path never leaves the data", betas.size());
  if (!zero_terminal_snr) return;
  // Lin et al. (2024), algorithm 1.
  const double first = std::exp(-0.5 * log_[1]);
  const double last = std::exp(-0.5 * log_.back());
  for (std::size_t k = 1; k < log_.size(); ++k) {
    const double root = (std::exp(-0.5 * log_[k]) - last) * first / (first - last);
    log_[k] =
        k + 1 == log_.size() ? std::numeric_limits<double>::infinity() : -2.0 * std::log(root);
  }
}

double TablePath::first() const {
  const auto above = std::upper_bound(log_.begin(), log_.end(), 0.0);
  return static_cast<double>(above - log_.begin()) / static_cast<double>(size());
}

double TablePath::alpha_bar(std::size_t k) const { return std::exp(-log_[k + 1]); }

PathPoint TablePath::at(double t) const {
  const double place = t * static_cast<double>(size());
  const double nearest = std::round(place);  // (k + 1) / T T is k + 1 but for rounding
  const bool entry = std::abs(place - nearest) < 1e-9 * std::max(1.0, place);
  const auto k = std::min(static_cast<std::size_t>(entry ? nearest : std::floor(place)), size());
  const std::size_t below = entry && k > 0 ? k - 1 : std::min(k, size() - 1);
  const double slope = log_[below + 1] - log_[below];
  double log_sum = entry ? log_[k] : log_[below] + (place - static_cast<double>(below)) * slope;
  double rate = slope * static_cast<double>(size());
  if (!std::isfinite(slope) && !entry) {  // into an infinite ratio: sqrt(alpha_bar) is linear
    const double left = static_cast<double>(size()) - place;
    log_sum = log_[below] - 2.0 * std::log(left);
    rate = 2.0 * static_cast<double>(size()) / left;
  }
  const double alpha = std::exp(-0.5 * log_sum);
  const double sigma = std::sqrt(-std::expm1(-log_sum));
  if (alpha == 0.0) {
    return {t, 0.0, 1.0, -std::exp(-0.5 * log_[below]) * static_cast<double>(size()), 0.0};
  }
  // Infinite at t = 0, but for a beta of 0.
  const double sigma_rate = rate > 0.0 ? 0.5 * rate * std::exp(-log_sum) / sigma : 0.0;
  return {t, alpha, sigma, -0.5 * rate * alpha, sigma_rate};
}

double TablePath::time_of(double ratio) const {
  const auto count = static_cast<double>(size());
  // alpha_bar = 1 / (1 + ratio^2).
  const double wanted = std::isfinite(ratio) ? std::log1p(ratio * ratio) : ratio;
  const auto above = std::lower_bound(log_.begin(), log_.end(), wanted);
  if (above == log_.begin()) return 0.0;
  if (above == log_.end()) return 1.0;
  const auto k = static_cast<double>(above - log_.begin() - 1);
  const double low = *std::prev(above);
  if (!std::isfinite(*above)) {
    return (k + (std::isfinite(wanted) ? 1.0 - std::exp(-0.5 * (wanted - low)) : 1.0)) / count;
  }
  return (k + (wanted - low) / (*above - low)) / count;
}

std::vector<double> even(double begin, double end, int steps) {
  std::vector<double> values;
  for (int k = 0; k < steps; ++k) {
    values.push_back(steps == 1 ? begin : begin + (end - begin) * k / (steps - 1));
  }
  return values;
}

}  // namespace gradatim::process
