// beta(t) = beta_min + t (beta_max - beta_min), which the VP and sub-VP SDEs share.
#pragma once

#include <algorithm>
#include <cmath>

#include "gradatim/api/export.h"
#include "gradatim/process/path.h"

namespace gradatim::process {

struct BetaRange {
  double beta_min = 0.1;
  double beta_max = 20.0;

  double at(double t) const { return beta_min + t * (beta_max - beta_min); }
  double integral(double t) const { return t * (beta_min + 0.5 * t * (beta_max - beta_min)); }
  /// The inverse of integral, held in [0, 1].
  double time_of(double sum) const {
    if (!std::isfinite(sum)) return 1.0;
    const double square = beta_min * beta_min + 2.0 * std::max(0.0, sum) * (beta_max - beta_min);
    if (square < 0.0) return 1.0;  // beyond what falling betas add up to
    const double root = std::sqrt(square);
    return std::min(1.0, 2.0 * sum / (beta_min + root));
  }
};

inline constexpr api::Setting kBetaRange[] = {
    api::setting<&BetaRange::beta_min>({.doc = "beta at t = 0.", .range = api::above(0.0)}),
    api::setting<&BetaRange::beta_max>({.doc = "beta at t = 1.", .range = api::above(0.0)}),
};

}  // namespace gradatim::process
