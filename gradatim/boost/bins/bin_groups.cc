#include "gradatim/boost/bins/bin_groups.h"

#include <algorithm>

namespace gradatim::boost {

std::vector<BinGroup> group_positions(std::span<const std::int32_t> cells) {
  std::vector<BinGroup> groups;
  int smaller = 0;
  for (const int stride : BinGroup::kStrides) {
    std::vector<std::int32_t> members;
    for (std::size_t p = 0; p < cells.size(); ++p) {
      if (cells[p] > smaller && cells[p] <= stride) members.push_back(static_cast<std::int32_t>(p));
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
