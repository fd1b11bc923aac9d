#include "gradatim/boost/bins/feature_bins.h"

#include <algorithm>
#include <cmath>

namespace gradatim::boost {

std::int32_t FeatureBins::bin_of(double x) const {
  if (std::isnan(x)) return missing_bin();
  if (categorical()) return x >= 0 && x < bins ? static_cast<std::int32_t>(x) : missing_bin();
  return static_cast<std::int32_t>(std::upper_bound(cuts.begin(), cuts.end(), x) - cuts.begin());
}

double threshold_between(double a, double b) {
  const double middle = a + (b - a) * 0.5;
  const auto narrow = static_cast<double>(static_cast<float>(middle));
  if (a < narrow && narrow <= b) return narrow;
  return a < middle && middle <= b ? middle : b;
}

std::vector<double> choose_cuts(std::span<const WeightedValue> values, std::int32_t max_bin) {
  std::vector<double> cuts;
  const auto count = static_cast<std::int64_t>(values.size());
  if (count <= max_bin) {
    for (std::int64_t i = 0; i + 1 < count; ++i) {
      cuts.push_back(threshold_between(values[i].first, values[i + 1].first));
    }
    return cuts;
  }
  // A value heavier than an even share takes a whole bin; the others divide what is left.
  double weight = 0.0;
  for (const auto& value : values) weight += value.second;
  double light = weight;
  std::int32_t free_bins = max_bin;
  std::vector<bool> heavy(values.size());
  const double share = weight / max_bin;
  for (std::int64_t i = 0; i < count; ++i) {
    heavy[i] = values[i].second >= share;
    if (heavy[i]) {
      light -= values[i].second;
      --free_bins;
    }
  }
  double filled = 0.0;
  double target = light / std::max(1, free_bins);
  for (std::int64_t i = 0; i + 1 < count; ++i) {
    filled += values[i].second;
    if (!heavy[i]) light -= values[i].second;
    const bool full = heavy[i] || filled >= target || (heavy[i + 1] && filled >= 0.5 * target);
    if (!full) continue;
    cuts.push_back(threshold_between(values[i].first, values[i + 1].first));
    if (static_cast<std::int32_t>(cuts.size()) == max_bin - 1) break;
    if (!heavy[i]) target = light / std::max(1, --free_bins);
    filled = 0.0;
  }
  return cuts;
}

}  // namespace gradatim::boost
