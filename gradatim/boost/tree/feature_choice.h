// Which features a node may split on: what is drawn for the tree, its level and itself, and what
// may meet the features of the splits above.
//
// Interaction constraints are XGBoost's: a path may use the features of any group that holds all
// features used so far, and those features themselves. The root may use every feature.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gradatim/boost/feature_draw.h"
#include "gradatim/boost/tree/growth.h"

namespace gradatim::boost {

class FeatureChoice {
 public:
  FeatureChoice(const GrowOptions& options, std::span<const std::int32_t> features)
      : options_(options), features_(features) {}

  /// Ascending; may be empty.
  template <class Sum>
  std::vector<std::int32_t> of(const OpenNode<Sum>& node) const {
    std::vector<std::int32_t> chosen(features_.begin(), features_.end());
    if (options_.colsample_bylevel < 1.0) {
      const Philox level(options_.seed, Stream::level_columns, options_.draw);
      chosen = drawn(chosen, options_.colsample_bylevel, level.bits(node.depth));
    }
    if (!options_.features.groups.empty() && !node.path.empty()) {
      std::erase_if(chosen, [&](std::int32_t f) { return !may_meet(node.path, f); });
    }
    if (options_.colsample_bynode < 1.0 && !chosen.empty()) {
      const Philox place(options_.seed, Stream::node_columns, options_.draw);
      chosen = drawn(chosen, options_.colsample_bynode, place.bits(node.place));
    }
    return chosen;
  }

 private:
  std::vector<std::int32_t> drawn(std::span<const std::int32_t> from, double share,
                                  std::uint64_t seed) const {
    return draw_features(from, share, options_.features.weight, {seed, Stream::columns});
  }
  bool may_meet(std::span<const std::int32_t> path, std::int32_t feature) const {
    if (std::ranges::find(path, feature) != path.end()) return true;
    return std::ranges::any_of(options_.features.groups, [&](const auto& group) {
      const auto holds = [&](std::int32_t f) { return std::ranges::binary_search(group, f); };
      return holds(feature) && std::ranges::all_of(path, holds);
    });
  }

  const GrowOptions& options_;
  std::span<const std::int32_t> features_;
};

}  // namespace gradatim::boost
