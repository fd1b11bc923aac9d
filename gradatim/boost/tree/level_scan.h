// What every split on one feature would gain over all nodes of a level: a candidate is one set of
// bins for all of them.
//
// Candidates are prefixes of sequences of bins. A numeric feature has one sequence, its bins in
// order. Of a categorical one, few categories are a sequence each; many are sorted by the mean
// gradient of all rows (the sum over the level is the root), and prefixes from both ends are tried.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "gradatim/boost/bins/feature_bins.h"
#include "gradatim/boost/tree/split.h"

namespace gradatim::boost {

/// The sequences of a feature, read from the root's histogram.
struct LevelCandidates {
  std::vector<std::vector<std::int32_t>> sequences;
  bool missing = false;  // whether the feature has missing cells
  bool sorted = false;   // by gradients, and so regularised more
};

template <class Criterion>
LevelCandidates level_candidates(const Criterion& criterion, const std::int64_t* cells,
                                 const FeatureBins& bins, const CategoryRule& rule) {
  const auto cell = [&](std::int32_t b) { return cells + b * criterion.lanes(); };
  LevelCandidates found;
  found.missing = !criterion.empty(cell(bins.bins));
  if (!bins.categorical()) {
    auto& all = found.sequences.emplace_back(bins.bins - 1);
    for (std::int32_t b = 0; b + 1 < bins.bins; ++b) all[b] = b;
    return found;
  }
  const double least = rule.min_mass * (bins.bins / 256.0);
  std::vector<std::pair<double, std::int32_t>> present;
  for (std::int32_t b = 0; b < bins.bins; ++b) {
    if (criterion.empty(cell(b)) || criterion.mass(cell(b)) < least) continue;
    present.emplace_back(criterion.order(cell(b), rule.smooth), b);
  }
  const auto count = static_cast<std::int32_t>(present.size());
  if (count <= rule.max_one_hot) {
    for (const auto& [key, b] : present) found.sequences.push_back({b});
    return found;
  }
  found.sorted = true;
  std::sort(present.begin(), present.end());
  const std::int32_t most = std::min(rule.max_left, (count + 1) / 2);
  found.sequences.resize(2);
  for (std::int32_t i = 0; i < most; ++i) {
    found.sequences[0].push_back(present[i].second);
    found.sequences[1].push_back(present[count - 1 - i].second);
  }
  return found;
}

/// Gains of one feature's candidates, summed over the nodes in the order in which they are added.
template <class Criterion>
class LevelScan {
 public:
  LevelScan(const Criterion& criterion, const LevelCandidates& candidates, std::int32_t feature,
            std::int32_t bins, const CategoryRule& rule)
      : criterion_(criterion),
        worth_(candidates.sorted ? Criterion(criterion.with_extra_lambda(rule.extra_l2))
                                 : criterion),
        candidates_(candidates),
        feature_(feature),
        bins_(bins) {
    std::size_t count = 1;  // missing cells alone
    for (const auto& sequence : candidates.sequences) count += 2 * sequence.size();
    gains_.resize(count);
  }

  /// A node whose children would not both be admissible is not split in effect, and gains nothing.
  template <class Pair>
  void add(const std::int64_t* cells, double score, const Pair& pair) {
    const auto cell = [&](std::int32_t b) { return cells + b * criterion_.lanes(); };
    auto total = criterion_.make();
    for (std::int32_t b = 0; b <= bins_; ++b) criterion_.add(total, cell(b));
    const bool missing = !criterion_.empty(cell(bins_));
    const auto gain = [&](const auto& left) {
      if (!criterion_.admissible(left)) return 0.0;
      auto right = total;
      criterion_.subtract(right, left);
      if (!criterion_.admissible(right)) return 0.0;
      const double together = pair(worth_, left, right);
      return together > -std::numeric_limits<double>::infinity() ? together - score : 0.0;
    };
    auto* out = gains_.data();
    for (const auto& sequence : candidates_.sequences) {
      auto left = criterion_.make();
      double right_gain = 0.0;  // missing cells to the right
      double left_gain = missing ? gain_of_missing(cell(bins_), gain) : 0.0;
      for (const std::int32_t b : sequence) {
        if (!criterion_.empty(cell(b))) {
          criterion_.add(left, cell(b));
          right_gain = gain(left);
          left_gain = right_gain;
          if (missing) {
            auto with_missing = left;
            criterion_.add(with_missing, cell(bins_));
            left_gain = gain(with_missing);
          }
        }
        *out++ += right_gain;
        *out++ += left_gain;
      }
    }
    if (missing) *out += gain_of_missing(cell(bins_), gain);
  }

  /// The candidate of the largest sum, `score` being the gain; not found where none is positive.
  Candidate best(const FeatureBins& bins) const {
    Candidate best;
    best.score = 0.0;
    std::size_t at = 0;
    const auto consider = [&](const std::int32_t* first, std::int32_t count, bool missing_left) {
      const double gain = gains_[at++];
      if (!(gain > best.score) || (missing_left && !candidates_.missing)) return;
      best.score = gain;
      best.feature = feature_;
      best.missing_left = missing_left;
      best.bin = bins.categorical() ? 0 : count - 1;
      if (!bins.categorical()) return;
      best.left_categories.assign((bins_ + 31) / 32, 0);
      for (std::int32_t i = 0; i < count; ++i) {
        best.left_categories[first[i] >> 5] |= 1U << (first[i] & 31);
      }
    };
    for (const auto& sequence : candidates_.sequences) {
      for (std::int32_t i = 1; i <= static_cast<std::int32_t>(sequence.size()); ++i) {
        consider(sequence.data(), i, false);
        consider(sequence.data(), i, true);
      }
    }
    consider(nullptr, 0, true);
    return best;
  }

 private:
  template <class Gain>
  double gain_of_missing(const std::int64_t* cell, const Gain& gain) const {
    auto alone = criterion_.make();
    criterion_.add(alone, cell);
    return gain(alone);
  }

  const Criterion& criterion_;
  Criterion worth_;
  const LevelCandidates& candidates_;
  std::int32_t feature_;
  std::int32_t bins_;
  std::vector<double> gains_;
};

}  // namespace gradatim::boost
