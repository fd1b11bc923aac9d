#include "gradatim/boost/bins/bin_groups.h"

#include <gtest/gtest.h>

namespace gradatim::boost {
namespace {

// Bins and a missing bin.
std::vector<std::int32_t> cells_of_bins(std::vector<std::int32_t> bins) {
  for (auto& cells : bins) ++cells;
  return bins;
}

TEST(BinGroups, FeaturesOfASizeShareAGroupAndAMissingBinCounts) {
  const auto groups = group_positions(cells_of_bins({255, 3, 4, 31, 128, 127}));
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[0].features, std::vector<std::int32_t>{1}) << "three bins and the missing one";
  EXPECT_EQ(groups[0].stride, 4);
  EXPECT_EQ(groups[1].features, (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(groups[1].stride, 32);
  EXPECT_EQ(groups[2].features, std::vector<std::int32_t>{5});
  EXPECT_EQ(groups[2].stride, 128);
  EXPECT_EQ(groups[3].features, (std::vector<std::int32_t>{0, 4}));
  EXPECT_EQ(groups[3].stride, 256);
}

TEST(BinGroups, AGroupHoldsSixteenAndItsRowIsAMultipleOfFourBytes) {
  const auto groups = group_positions(cells_of_bins(std::vector<std::int32_t>(37, 200)));
  ASSERT_EQ(groups.size(), 3U);
  EXPECT_EQ(groups[0].positions, 16);
  EXPECT_EQ(groups[1].positions, 16);
  EXPECT_EQ(groups[2].features.size(), 5U);
  EXPECT_EQ(groups[2].positions, 8);
  EXPECT_EQ(groups[2].cells(), 8 * 256);
}

TEST(BinGroups, TwoByteFeaturesAndThoseWithoutCellsAreInNoGroup) {
  EXPECT_TRUE(group_positions(std::vector<std::int32_t>{0, 0}).empty());
  EXPECT_TRUE(group_positions(cells_of_bins({256, 4000})).empty());
}

}  // namespace
}  // namespace gradatim::boost
