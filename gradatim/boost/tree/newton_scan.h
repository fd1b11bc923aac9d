// The split search of Newton criteria without constraints, by vectors: prefix sums first, then the
// scores of all places at once. The same candidate as the plain scan_numeric(), bit for bit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

/// Both sides of some places to split, as numbers.
struct SplitPlaces {
  static constexpr int kMost = 256;
  double left_g[kMost], left_h[kMost], right_g[kMost], right_h[kMost];
  double score[kMost];  // out: -infinity where a side is not admissible
};

/// Scores of the first `count` places; the rule has no max_delta_step.
void score_places(SplitPlaces& places, int count, const NewtonRule& rule);

template <class Criterion>
concept HasNewtonRule = requires(const Criterion& criterion, const typename Criterion::Sum& sum) {
  criterion.rule();
  criterion.g(sum);
  criterion.h(sum);
};

namespace internal {

/// The best of the places from bin `first` on, in order of bins; missing rows on one side.
template <HasNewtonRule Criterion>
Candidate scan_places(const Criterion& criterion, const std::int64_t* cells, std::int32_t first,
                      std::int32_t bins, typename Criterion::Sum left,
                      const typename Criterion::Sum& total) {
  const int lanes = criterion.lanes();
  SplitPlaces places;
  Candidate best;
  for (std::int32_t begin = first; begin + 1 < bins; begin += SplitPlaces::kMost) {
    const int count = std::min(SplitPlaces::kMost, bins - 1 - begin);
    for (int i = 0; i < count; ++i) {
      criterion.add(left, cells + (begin + i) * lanes);
      auto right = total;
      criterion.subtract(right, left);
      places.left_g[i] = criterion.g(left);
      places.left_h[i] = criterion.h(left);
      places.right_g[i] = criterion.g(right);
      places.right_h[i] = criterion.h(right);
    }
    score_places(places, count, criterion.rule());
    for (int i = 0; i < count; ++i) {
      if (!(places.score[i] > best.score)) continue;
      best.score = places.score[i];
      best.bin = begin + i;
    }
  }
  return best;
}

}  // namespace internal

template <HasNewtonRule Criterion>
Candidate scan_numeric(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                       std::int32_t feature) {
  if (criterion.rule().max_delta_step != 0.0) {
    return scan_numeric(criterion, cells, bins, feature, FreePair());
  }
  const int lanes = criterion.lanes();
  auto total = criterion.make();
  for (std::int32_t b = 0; b <= bins; ++b) criterion.add(total, cells + b * lanes);
  // Empty bins in front are no place to split; a later one scores what the one before it does.
  std::int32_t first = 0;
  while (first < bins && criterion.empty(cells + first * lanes)) ++first;
  Candidate best = internal::scan_places(criterion, cells, first, bins, criterion.make(), total);
  const std::int64_t* missing_cell = cells + bins * lanes;
  if (!criterion.empty(missing_cell)) {
    auto missing = criterion.make();
    criterion.add(missing, missing_cell);
    Candidate other = internal::scan_places(criterion, cells, first, bins, missing, total);
    if (other.score > best.score || (other.score == best.score && other.bin < best.bin)) {
      best = std::move(other);
      best.missing_left = true;
    }
    auto present = total;
    criterion.subtract(present, missing);
    if (criterion.admissible(missing) && criterion.admissible(present)) {
      const double score = criterion.score(missing) + criterion.score(present);
      if (score > best.score) {
        best.score = score;
        best.bin = -1;
        best.missing_left = true;
      }
    }
  }
  if (best.score > -std::numeric_limits<double>::infinity()) best.feature = feature;
  return best;
}

}  // namespace gradatim::boost
