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
#include "gradatim/boost/tree/criterion.h"

namespace gradatim::boost {

/// A split and what its children score together.
struct Candidate {
  double score = -std::numeric_limits<double>::infinity();
  std::int32_t feature = -1;
  std::int32_t bin = 0;   // numeric: bins <= it go left; -1 is none, missing cells alone do
  std::int32_t next = 0;  // exact: the first bin among the node's rows on the right
  bool missing_left = false;
  bool left_smaller = false;  // with several ranks: which child seems to have fewer rows
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

/// What two children are worth together: their own scores.
struct FreePair {
  template <class Criterion, class Sum>
  double operator()(const Criterion& criterion, const Sum& left, const Sum& right) const {
    return criterion.score(left) + criterion.score(right);
  }
};

/// The same for children whose values are limited by their place in the tree; a pair that runs
/// against the feature's direction is worth less than any other.
struct LimitedPair {
  Limits limits;
  int direction = 0;  // of a monotone feature: 1 rises, -1 falls

  template <class Criterion, class Sum>
  double operator()(const Criterion& criterion, const Sum& left, const Sum& right) const {
    const double l = criterion.value(left, limits);
    const double r = criterion.value(right, limits);
    if (direction * (r - l) < 0.0) return -std::numeric_limits<double>::infinity();
    return criterion.score(left, l) + criterion.score(right, r);
  }
};

/// x < t goes left, for every t; where cells are missing both directions are tried.
template <class Criterion, class Pair>
Candidate scan_numeric(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                       std::int32_t feature, const Pair& pair) {
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
    const double score = pair(criterion, left, right);
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

/// Without constraints; newton_scan.h is faster for the criteria that it knows.
template <class Criterion>
Candidate scan_numeric(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                       std::int32_t feature) {
  return scan_numeric(criterion, cells, bins, feature, FreePair());
}

/// A set of named categories goes left, the others right; missing (and with them unseen) cells go
/// where the score is larger.
template <class Criterion, class Pair>
class CategoryScan {
 public:
  CategoryScan(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
               std::int32_t feature, const CategoryRule& rule, const Pair& pair)
      : criterion_(criterion),
        cells_(cells),
        bins_(bins),
        feature_(feature),
        rule_(rule),
        pair_(pair),
        total_(criterion.make()),
        missing_(!criterion.empty(cell(bins))) {
    // The best of many rare categories is mostly the luckiest: the more there are, the more each
    // must weigh. With few categories few rows say enough.
    const double min_mass = rule.min_mass * (bins / 256.0);
    for (std::int32_t b = 0; b <= bins; ++b) {
      criterion.add(total_, cell(b));
      if (b == bins || criterion.empty(cell(b))) continue;
      if (criterion.mass(cell(b)) >= min_mass) present_.push_back(b);
    }
  }

  Candidate best() {
    if (static_cast<std::int32_t>(present_.size()) <= rule_.max_one_hot) {
      one_against_the_rest();
    } else {
      sorted_partitions();
    }
    if (missing_) {
      auto alone = criterion_.make();
      criterion_.add(alone, cell(bins_));
      consider(criterion_, alone, nullptr, 0, true);
    }
    return std::move(best_);
  }

 private:
  const std::int64_t* cell(std::int32_t bin) const { return cells_ + bin * criterion_.lanes(); }

  void one_against_the_rest() {
    for (const std::int32_t& category : present_) {
      auto left = criterion_.make();
      criterion_.add(left, cell(category));
      consider_both(criterion_, left, &category, 1);
    }
  }

  // By mean gradient, from both ends: optimal for a convex loss when every category may be named.
  void sorted_partitions() {
    std::vector<double> key(bins_);
    for (const std::int32_t b : present_) key[b] = criterion_.order(cell(b), rule_.smooth);
    std::sort(present_.begin(), present_.end(), [&](std::int32_t a, std::int32_t b) {
      return key[a] != key[b] ? key[a] < key[b] : a < b;
    });
    const auto& regularised = criterion_.with_extra_lambda(rule_.extra_l2);
    const auto count = static_cast<std::int32_t>(present_.size());
    const std::int32_t most = std::min(rule_.max_left, (count + 1) / 2);
    for (const bool from_front : {true, false}) {
      auto left = criterion_.make();
      for (std::int32_t i = 0; i < most; ++i) {
        const std::int32_t at = from_front ? i : count - 1 - i;
        criterion_.add(left, cell(present_[at]));
        consider_both(regularised, left, present_.data() + (from_front ? 0 : at), i + 1);
      }
    }
  }

  void consider_both(const Criterion& worth, const typename Criterion::Sum& left,
                     const std::int32_t* named, std::int32_t count) {
    consider(worth, left, named, count, false);
    if (!missing_) return;
    auto with_missing = left;
    criterion_.add(with_missing, cell(bins_));
    consider(worth, with_missing, named, count, true);
  }

  void consider(const Criterion& worth, const typename Criterion::Sum& left,
                const std::int32_t* named, std::int32_t count, bool missing_left) {
    if (!criterion_.admissible(left)) return;
    auto right = total_;
    criterion_.subtract(right, left);
    if (!criterion_.admissible(right)) return;
    const double score = pair_(worth, left, right);
    if (score <= best_.score) return;
    best_.score = score;
    best_.feature = feature_;
    best_.missing_left = missing_left;
    best_.left_categories.assign((bins_ + 31) / 32, 0);
    for (std::int32_t i = 0; i < count; ++i) {
      best_.left_categories[named[i] >> 5] |= 1U << (named[i] & 31);
    }
  }

  const Criterion& criterion_;
  const std::int64_t* cells_;
  std::int32_t bins_;
  std::int32_t feature_;
  const CategoryRule& rule_;
  const Pair& pair_;
  typename Criterion::Sum total_;
  bool missing_;
  std::vector<std::int32_t> present_;  // categories that may be named
  Candidate best_;
};

template <class Criterion, class Pair = FreePair>
Candidate scan_categories(const Criterion& criterion, const std::int64_t* cells, std::int32_t bins,
                          std::int32_t feature, const CategoryRule& rule, const Pair& pair = {}) {
  return CategoryScan<Criterion, Pair>(criterion, cells, bins, feature, rule, pair).best();
}

}  // namespace gradatim::boost
