// The plain tree grower that the tests hold the fast one against: doubles, every candidate summed
// from its rows, recursion by a list of leaves. No histograms, no subtraction, no integers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/grower.h"

namespace gradatim::boost::testing {

struct ReferenceInput {
  const BinnedData* data = nullptr;
  std::vector<double> g, h;  // weighted, [rows]
  std::vector<std::uint32_t> rows;
  std::vector<std::int32_t> features;
  NewtonRule rule;
  GrowOptions grow;
};

/// A leaf: its rows, ascending, and its value.
struct ReferenceLeaf {
  std::vector<std::uint32_t> rows;
  double value = 0.0;
  std::int32_t depth = 0;
};

class ReferenceGrower {
 public:
  explicit ReferenceGrower(const ReferenceInput& input) : in_(input) {}

  std::vector<ReferenceLeaf> grow() {
    leaves_ = {{in_.rows, weight_of(in_.rows), 0}};
    if (in_.grow.grow_policy == GrowPolicy::lossguide) {
      while (room() > 0 && split_best()) {
      }
    } else {
      while (room() > 0 && split_level()) {
      }
    }
    return leaves_;
  }

 private:
  using Rows = std::vector<std::uint32_t>;
  struct Split {
    Rows left, right;
    double ranked = -std::numeric_limits<double>::infinity();
    double gain = 0.0;
  };

  std::int64_t room() const {
    return in_.grow.max_leaves == 0
               ? std::numeric_limits<std::int64_t>::max()
               : in_.grow.max_leaves - static_cast<std::int64_t>(leaves_.size());
  }
  std::pair<double, double> sums(const Rows& rows) const {
    double g = 0.0;
    double h = 0.0;
    for (const auto row : rows) {
      g += in_.g[row];
      h += in_.h[row];
    }
    return {g, h};
  }
  double weight_of(const Rows& rows) const {
    const auto [g, h] = sums(rows);
    return in_.rule.weight(g, h);
  }

  // Tries one partition of a node; `extra` is added to lambda where candidates are ranked.
  void consider(const Rows& node, const std::vector<bool>& goes_left, double extra,
                Split& best) const {
    Split split;
    for (const auto row : node) (goes_left[row] ? split.left : split.right).push_back(row);
    const auto [gl, hl] = sums(split.left);
    const auto [gr, hr] = sums(split.right);
    const auto [g, h] = sums(node);
    if (split.left.empty() || split.right.empty()) return;
    if (!in_.rule.admissible(hl) || !in_.rule.admissible(hr)) return;
    NewtonRule ranking = in_.rule;
    ranking.reg_lambda += extra;
    split.ranked = ranking.score(gl, hl) + ranking.score(gr, hr);
    split.gain = in_.rule.score(gl, hl) + in_.rule.score(gr, hr) - in_.rule.score(g, h);
    // Far above rounding, far below what distinguishes two candidates of random data.
    const double tolerance = 1e-9 * std::abs(split.ranked);
    if (split.ranked > best.ranked + tolerance) best = std::move(split);
  }

  void numeric(const Rows& node, std::int32_t f, Split& best) const {
    const FeatureBins& bins = in_.data->features()[f];
    for (std::int32_t b = 0; b < bins.bins; ++b) {
      for (const bool missing_left : {false, true}) {
        std::vector<bool> left(in_.data->rows());
        for (const auto row : node) {
          const std::int32_t bin = in_.data->bin(f, row);
          left[row] = bin == bins.missing_bin() ? missing_left : bin <= b;
        }
        consider(node, left, 0.0, best);
      }
    }
  }

  void categorical(const Rows& node, std::int32_t f, Split& best) const {
    const FeatureBins& bins = in_.data->features()[f];
    const CategoryRule& rule = in_.grow.categories;
    std::vector<Rows> of_bin(bins.bins);
    Rows missing;
    for (const auto row : node) {
      const std::int32_t bin = in_.data->bin(f, row);
      (bin < bins.bins ? of_bin[bin] : missing).push_back(row);
    }
    std::vector<std::int32_t> named;
    for (std::int32_t b = 0; b < bins.bins; ++b) {
      const double least = rule.min_mass * (bins.bins / 256.0);
      if (!of_bin[b].empty() && sums(of_bin[b]).second >= least) named.push_back(b);
    }
    auto mean = [&](std::int32_t b) {
      const auto [g, h] = sums(of_bin[b]);
      return g / (h + rule.smooth);
    };
    const auto count = static_cast<std::int32_t>(named.size());
    const bool one_hot = count <= rule.max_one_hot;
    if (!one_hot) {
      std::sort(named.begin(), named.end(),
                [&](std::int32_t a, std::int32_t b) { return mean(a) < mean(b); });
    }
    const std::int32_t most = one_hot ? count : std::min(rule.max_left, (count + 1) / 2);
    for (const bool front : {true, false}) {
      std::vector<bool> left(in_.data->rows());
      for (std::int32_t i = 0; i < most; ++i) {
        if (one_hot) left.assign(left.size(), false);
        for (const auto row : of_bin[named[front ? i : count - 1 - i]]) left[row] = true;
        for (const bool missing_left : {false, true}) {
          for (const auto row : missing) left[row] = missing_left;
          consider(node, left, one_hot ? 0.0 : rule.extra_l2, best);
        }
        for (const auto row : missing) left[row] = false;
      }
    }
    std::vector<bool> alone(in_.data->rows());
    for (const auto row : missing) alone[row] = true;
    consider(node, alone, 0.0, best);
  }

  std::optional<Split> find(const ReferenceLeaf& leaf) const {
    if (in_.grow.max_depth > 0 && leaf.depth >= in_.grow.max_depth) return std::nullopt;
    Split best;
    for (const auto f : in_.features) {
      if (in_.data->features()[f].categorical())
        categorical(leaf.rows, f, best);
      else
        numeric(leaf.rows, f, best);
    }
    const bool stands = best.gain > 1e-9 && best.gain >= in_.grow.min_split_gain;
    return stands ? std::optional(best) : std::nullopt;
  }

  double ranked_gain(const ReferenceLeaf& leaf, const Split& split) const {
    const auto [g, h] = sums(leaf.rows);
    return split.ranked - in_.rule.score(g, h);
  }

  void replace(std::size_t at, const Split& split) {
    const std::int32_t depth = leaves_[at].depth + 1;
    leaves_[at] = {split.left, weight_of(split.left), depth};
    leaves_.push_back({split.right, weight_of(split.right), depth});
  }

  bool split_best() {
    std::optional<Split> best;
    std::size_t at = 0;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      auto split = find(leaves_[i]);
      if (!split || ranked_gain(leaves_[i], *split) <= 0.0) continue;
      if (best && ranked_gain(leaves_[at], *best) >= ranked_gain(leaves_[i], *split)) continue;
      best = split;
      at = i;
    }
    if (best) replace(at, *best);
    return best.has_value();
  }

  bool split_level() {
    struct Ready {
      std::size_t leaf;
      Split split;
      double gain;
    };
    std::vector<Ready> ready;
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      auto split = find(leaves_[i]);
      if (split && ranked_gain(leaves_[i], *split) > 0.0) {
        ready.push_back({i, *split, ranked_gain(leaves_[i], *split)});
      }
    }
    std::sort(ready.begin(), ready.end(),
              [](const auto& a, const auto& b) { return a.gain > b.gain; });
    bool any = false;
    for (const Ready& next : ready) {
      if (room() <= 0) break;
      replace(next.leaf, next.split);
      any = true;
    }
    return any;
  }

  const ReferenceInput& in_;
  std::vector<ReferenceLeaf> leaves_;
};

}  // namespace gradatim::boost::testing
