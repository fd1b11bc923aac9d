// The split search of Newton criteria without constraints, by vectors: prefix sums first, then the
// scores of all places at once. The same candidate as the plain scan_numeric(), bit for bit.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

/// The left sides of some places to split, and what the places are worth.
struct SplitPlaces {
  static constexpr int kMost = 256;
  /// A hessian that no side may have: here nothing can be split.
  static constexpr std::int64_t kNoPlace = std::numeric_limits<std::int64_t>::min() / 4;
  std::int64_t left_g[kMost], left_h[kMost];  // as integers, so that all of them turn at once
  double score[kMost];                        // out: -infinity where a side is not admissible

  int first(int count, double worth) const {
    return static_cast<int>(std::find(score, score + count, worth) - score);
  }
};

/// What the places of a node have in common.
struct PlacedNode {
  NewtonSum total;
  Units units;
  NewtonRule rule;  // without max_delta_step
};

/// Scores the first `count` places, `extra` on the left of each, and gives the largest score.
double score_places(SplitPlaces& places, int count, const NewtonSum& extra, const PlacedNode& node);

template <class Criterion>
concept HasNewtonRule = requires(const Criterion& criterion, const typename Criterion::Sum& sum) {
  criterion.rule();
  criterion.units();
  criterion.parts(sum);
};

namespace internal {

/// The best of the places from bin `first` on, in order of bins; `missing` on the left of each.
template <HasNewtonRule Criterion>
Candidate scan_places(const Criterion& criterion, const std::int64_t* cells, std::int32_t first,
                      std::int32_t bins, const typename Criterion::Sum& missing,
                      const PlacedNode& node) {
  const int lanes = criterion.lanes();
  SplitPlaces places;
  Candidate best;
  auto left = criterion.make();
  for (std::int32_t begin = first; begin + 1 < bins; begin += SplitPlaces::kMost) {
    const int count = std::min(SplitPlaces::kMost, bins - 1 - begin);
    for (int i = 0; i < count; ++i) {
      criterion.add(left, cells + (begin + i) * lanes);
      const NewtonSum parts = criterion.parts(left);
      places.left_g[i] = parts.g;
      places.left_h[i] = parts.h;
    }
    const double score = score_places(places, count, criterion.parts(missing), node);
    if (!(score > best.score)) continue;
    best.score = score;
    best.bin = begin + places.first(count, score);
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
  const PlacedNode node{criterion.parts(total), criterion.units(), criterion.rule()};
  Candidate best = internal::scan_places(criterion, cells, first, bins, criterion.make(), node);
  const std::int64_t* missing_cell = cells + bins * lanes;
  if (!criterion.empty(missing_cell)) {
    auto missing = criterion.make();
    criterion.add(missing, missing_cell);
    Candidate other = internal::scan_places(criterion, cells, first, bins, missing, node);
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
