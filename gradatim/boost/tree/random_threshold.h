// Extremely randomised trees: one threshold a feature and node, uniform over the bins between the
// node's least and greatest. Geurts, Ernst and Wehenkel (2006).
#pragma once

#include <cstdint>

#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

/// `u` in [0, 1) chooses the threshold; where cells are missing both directions are tried.
template <class Criterion, class Pair>
Candidate scan_random(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                      std::int32_t feature, const Pair& pair, double u) {
  const int lanes = criterion.lanes();
  const auto present = [&](std::int32_t b) { return !criterion.empty(cells + b * lanes); };
  std::int32_t first = 0;
  while (first < bins && !present(first)) ++first;
  std::int32_t last = bins - 1;
  while (last > first && !present(last)) --last;
  if (first >= last) return {};
  const std::int32_t chosen = first + static_cast<std::int32_t>(u * (last - first));
  auto left = criterion.make();
  for (std::int32_t b = first; b <= chosen; ++b) criterion.add(left, cells + b * lanes);
  auto right = criterion.make();
  for (std::int32_t b = chosen + 1; b <= last; ++b) criterion.add(right, cells + b * lanes);
  Candidate best;
  auto consider = [&](const auto& l, const auto& r, bool missing_left) {
    if (!criterion.admissible(l) || !criterion.admissible(r)) return;
    const double score = pair(criterion, l, r);
    if (score <= best.score) return;
    best.score = score;
    best.feature = feature;
    best.bin = chosen;
    best.missing_left = missing_left;
  };
  auto with_missing = right;
  criterion.add(with_missing, cells + bins * lanes);
  consider(left, with_missing, false);
  if (!present(bins)) return best;
  with_missing = left;
  criterion.add(with_missing, cells + bins * lanes);
  consider(with_missing, right, true);
  return best;
}

}  // namespace gradatim::boost
