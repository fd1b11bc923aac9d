// Finds the best split of a node from its histogram: one feature at a time.
//
// Ties are broken by feature, then bin, then missing to the right, so that the choice is a pure
// function of exact sums.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"

namespace gradatim::boost {

/// A split and what its children score together.
struct Candidate {
  double score = -std::numeric_limits<double>::infinity();
  std::int32_t feature = -1;
  std::int32_t bin = 0;   // numeric: bins <= it go left; -1 is none, missing cells alone do
  std::int32_t next = 0;  // exact: the first bin among the node's rows on the right
  bool missing_left = false;
  std::vector<std::uint32_t> left_categories;  // categorical: a bit a bin

  bool found() const { return feature >= 0; }
  /// Whether this beats `other`, which comes from features before it.
  bool beats(const Candidate& other) const { return score > other.score; }
};

/// How many-valued categories are split: sorted by gradient, both ends scanned, regularised.
struct CategoryRule {
  double smooth = 10.0;          // pulls a category's mean to zero when sorting
  double extra_l2 = 10.0;        // added to lambda for sorted partitions
  double min_mass = 0.0;         // categories with less hessian are not worth a place on the left
  std::int32_t max_left = 8;     // categories on the listed side
  std::int32_t max_one_hot = 4;  // up to so many, each is tried alone
};

/// x < t goes left, for every t; where cells are missing both directions are tried.
template <class Criterion>
Candidate scan_numeric(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                       std::int32_t feature) {
  const int lanes = criterion.lanes();
  auto total = criterion.make();
  for (std::int32_t b = 0; b <= bins; ++b) criterion.add(total, cells + b * lanes);
  const std::int64_t* missing_cell = cells + bins * lanes;
  const bool missing = !criterion.empty(missing_cell);
  Candidate best;
  auto consider = [&](const auto& left, std::int32_t bin, bool missing_left) {
    if (!criterion.admissible(left)) return;
    auto right = total;
    criterion.subtract(right, left);
    if (!criterion.admissible(right)) return;
    const double score = criterion.score(left) + criterion.score(right);
    if (score > best.score) {
      best.score = score;
      best.feature = feature;
      best.bin = bin;
      best.missing_left = missing_left;
    }
  };
  auto left = criterion.make();
  for (std::int32_t b = 0; b + 1 < bins; ++b) {
    if (criterion.empty(cells + b * lanes)) continue;  // the same split as the one before
    criterion.add(left, cells + b * lanes);
    consider(left, b, false);
    if (!missing) continue;
    auto with_missing = left;
    criterion.add(with_missing, missing_cell);
    consider(with_missing, b, true);
  }
  // Missing against present is a split too: nothing present lies below -infinity.
  if (missing) {
    auto alone = criterion.make();
    criterion.add(alone, missing_cell);
    consider(alone, -1, true);
  }
  return best;
}

/// A set of categories goes left; the rest, rare, unseen and missing ones go right.
template <class Criterion>
Candidate scan_categories(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                          std::int32_t feature, const CategoryRule& rule) {
  const int lanes = criterion.lanes();
  auto total = criterion.make();
  std::vector<std::int32_t> present;
  // Rare categories overfit where there are many; with few categories few rows say enough.
  const double min_mass = rule.min_mass * std::min(1.0, bins / 256.0);
  for (std::int32_t b = 0; b <= bins; ++b) {
    criterion.add(total, cells + b * lanes);
    if (b == bins || criterion.empty(cells + b * lanes)) continue;
    if (criterion.mass(cells + b * lanes) >= min_mass) present.push_back(b);
  }
  Candidate best;
  auto consider = [&](const auto& worth, const auto& left, const std::int32_t* first,
                      std::int32_t count) {
    if (!criterion.admissible(left)) return;
    auto right = total;
    criterion.subtract(right, left);
    if (!criterion.admissible(right)) return;
    const double score = worth.score(left) + worth.score(right);
    if (score <= best.score) return;
    best.score = score;
    best.feature = feature;
    best.left_categories.assign((bins + 31) / 32, 0);
    for (std::int32_t i = 0; i < count; ++i) {
      best.left_categories[first[i] >> 5] |= 1U << (first[i] & 31);
    }
  };
  const auto count = static_cast<std::int32_t>(present.size());
  if (count <= rule.max_one_hot) {
    for (std::int32_t i = 0; i < count; ++i) {
      auto left = criterion.make();
      criterion.add(left, cells + present[i] * lanes);
      consider(criterion, left, &present[i], 1);
    }
    return best;
  }
  std::vector<double> key(bins);
  for (const std::int32_t b : present) key[b] = criterion.order(cells + b * lanes, rule.smooth);
  std::sort(present.begin(), present.end(), [&](std::int32_t a, std::int32_t b) {
    return key[a] != key[b] ? key[a] < key[b] : a < b;
  });
  const auto& regularised = criterion.with_extra_lambda(rule.extra_l2);
  const std::int32_t most = std::min(rule.max_left, (count + 1) / 2);
  for (const bool from_front : {true, false}) {
    auto left = criterion.make();
    for (std::int32_t i = 0; i < most; ++i) {
      criterion.add(left, cells + present[from_front ? i : count - 1 - i] * lanes);
      consider(regularised, left, present.data() + (from_front ? 0 : count - 1 - i), i + 1);
    }
  }
  return best;
}

}  // namespace gradatim::boost
