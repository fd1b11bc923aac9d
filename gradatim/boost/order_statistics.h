// Weighted means and quantiles of rows that do not depend on the order of the rows.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace gradatim::boost {

/// sum w x / sum w, each sum exact; `weight` is empty or as long as x. 0 for no rows.
double weighted_mean(std::span<const float> x, std::span<const float> weight);

/// The smallest value v such that the weight of values <= v is at least `level` of the total;
/// where it is exactly that, the middle between v and the next value. Reorders `values`
/// (value, weight).
double weighted_quantile(std::vector<std::pair<double, double>>& values, double level);

}  // namespace gradatim::boost
