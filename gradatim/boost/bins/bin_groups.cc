#include "gradatim/boost/bins/bin_groups.h"

#include <algorithm>

namespace gradatim::boost {

std::vector<BinGroup> group_features(std::span<const FeatureBins> features,
                                     std::span<const std::uint8_t> left_out) {
  std::vector<BinGroup> groups;
  int smaller = 0;
  for (const int stride : BinGroup::kStrides) {
    std::vector<std::int32_t> members;
    for (std::size_t f = 0; f < features.size(); ++f) {
      if (!left_out.empty() && left_out[f] != 0) continue;
      const std::int32_t cells = features[f].bins + 1;
      if (cells > smaller && cells <= stride) members.push_back(static_cast<std::int32_t>(f));
    }
    smaller = stride;
    for (std::size_t first = 0; first < members.size(); first += BinGroup::kMostFeatures) {
      const auto count = std::min<std::size_t>(BinGroup::kMostFeatures, members.size() - first);
      BinGroup group;
      group.features.assign(members.begin() + first, members.begin() + first + count);
      group.positions = static_cast<int>((count + 3) / 4 * 4);
      group.stride = stride;
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

}  // namespace gradatim::boost
