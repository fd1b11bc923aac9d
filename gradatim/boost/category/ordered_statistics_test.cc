// Ordered target statistics: by hand, and the laws that keep a row's target out of its own
// features.
#include "gradatim/boost/category/ordered_statistics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

std::vector<std::uint32_t> all_rows(std::size_t count) {
  std::vector<std::uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// Blocks that the test says, in place of random ones; rows must come block after block.
BlockedTarget by_hand(const std::vector<int>& block, const std::vector<float>& y,
                      const std::vector<float>& weight = {}) {
  auto target = block_target(all_rows(y.size()), {y}, weight, 0);
  const auto random = target;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const auto at = std::find(random.rows.begin(), random.rows.end(), i) - random.rows.begin();
    target.rows[i] = static_cast<std::uint32_t>(i);
    target.weight[i] = random.weight[at];
    target.target[i] = random.target[at];
  }
  for (int b = 0; b <= BlockedTarget::kBlocks; ++b) {
    target.first[b] = std::ranges::count_if(block, [&](int own) { return own < b; });
  }
  return target;
}

//  row    0  1 | 2    3    4   | 5            6
//  block  0  0 | 1    1    1   | 2            2
//  code   0  1 | 0    0    1   | 0            -1
//  y      1  0 | 1    0    1   | 0            1
//  mean   -    | 1/2           | 3/5
//  s, a=1 -    | 1.5/2 both 0.5/2 | (2 + .6)/4  the mean
TEST(OrderedStatistics, AreTheEarlierBlocksMeansDrawnToThePrior) {
  const auto target = by_hand({0, 0, 1, 1, 1, 2, 2}, {1, 0, 1, 0, 1, 0, 1});
  const BlockedCodes codes{{0, 1, 0, 0, 1, 0, -1}, 2};
  const auto s = ordered_values(target, codes, 1.0);
  EXPECT_TRUE(std::isnan(s[0]) && std::isnan(s[1])) << "nothing is before the first block";
  EXPECT_DOUBLE_EQ(s[2], 0.75);
  EXPECT_DOUBLE_EQ(s[3], 0.75);
  EXPECT_DOUBLE_EQ(s[4], 0.25);
  EXPECT_DOUBLE_EQ(s[5], 2.6 / 4.0);
  EXPECT_DOUBLE_EQ(s[6], 0.6);
  // Of all rows: (2 + m)/(4 + 1), (1 + m)/(2 + 1) with m = 4/7, and last m.
  const auto table = statistic_table(target, codes, 1.0);
  ASSERT_EQ(table.size(), 3U);
  EXPECT_DOUBLE_EQ(table[0], (2.0 + 4.0 / 7.0) / 5.0);
  EXPECT_DOUBLE_EQ(table[1], (1.0 + 4.0 / 7.0) / 3.0);
  EXPECT_DOUBLE_EQ(table[2], 4.0 / 7.0);
}

TEST(OrderedStatistics, AWeightOfTwoIsTheRowTwice) {
  const auto weighed = by_hand({0, 0, 1}, {3.5, -1, 0}, {2, 1, 1});
  const auto twice = by_hand({0, 0, 0, 1}, {3.5, 3.5, -1, 0});
  const double once = ordered_values(weighed, {{0, 0, 0}, 1}, 10.0).back();
  EXPECT_DOUBLE_EQ(once, ordered_values(twice, {{0, 0, 0, 0}, 1}, 10.0).back());
  EXPECT_DOUBLE_EQ(once, (6.0 + 10.0 * 2.0) / 13.0);
}

struct Draw {
  std::vector<float> y, weight;
  std::vector<std::int32_t> code;  // of each row of the table
};

Draw draw(std::size_t rows) {
  Random random(3);
  Draw made;
  for (std::size_t i = 0; i < rows; ++i) {
    made.y.push_back(static_cast<float>(random.normal()));
    made.weight.push_back(static_cast<float>(0.1 + random.uniform()));
    made.code.push_back(static_cast<std::int32_t>(random.below(12)));
  }
  return made;
}

// Of each row of the table.
std::vector<double> statistic_of(const Draw& rows) {
  const auto target = block_target(all_rows(rows.y.size()), {rows.y}, rows.weight, 7);
  BlockedCodes codes{{}, 12};
  for (const auto row : target.rows) codes.code.push_back(rows.code[row]);
  const auto ordered = ordered_values(target, codes, 1.0);
  std::vector<double> values(ordered.size());
  for (std::size_t i = 0; i < ordered.size(); ++i) values[target.rows[i]] = ordered[i];
  return values;
}

TEST(OrderedStatistics, DependOnNoTargetOfTheOwnBlockOrALaterOne) {
  const Draw rows = draw(300);
  const auto target = block_target(all_rows(300), {rows.y}, rows.weight, 7);
  std::vector<int> block(300);
  for (int b = 0; b < BlockedTarget::kBlocks; ++b) {
    for (auto i = target.first[b]; i < target.first[b + 1]; ++i) block[target.rows[i]] = b;
  }
  const auto before = statistic_of(rows);
  int moved = 0;
  for (std::size_t changed = 0; changed < 300; changed += 7) {
    Draw other = rows;
    other.y[changed] = other.y[changed] > 0.0F ? -1.5F : 1.5F;  // the largest stays the largest
    const auto after = statistic_of(other);
    for (std::size_t i = 0; i < 300; ++i) {
      if (block[i] <= block[changed]) {
        EXPECT_TRUE(before[i] == after[i] || block[i] == 0) << changed << " moved " << i;
      } else if (before[i] != after[i]) {
        ++moved;
      }
    }
  }
  EXPECT_GT(moved, 300) << "later rows do see it";
}

TEST(OrderedStatistics, AnOutlierTakesNoDigitsFromTheOthers) {
  Draw rows = draw(300);
  const auto before = statistic_of(rows);
  const auto target = block_target(all_rows(300), {rows.y}, rows.weight, 7);
  const auto last = target.rows.back();
  rows.y[last] = 1e9F;
  const auto after = statistic_of(rows);
  for (std::size_t i = 0; i < 300; ++i) {
    if (std::isnan(before[i])) continue;
    EXPECT_NEAR(before[i], after[i], 1e-5) << i;
  }
}

TEST(OrderedStatistics, NoiseExplainsNothingAndASignalItsShare) {
  Draw rows = draw(20000);
  const auto share = [&](const std::vector<float>& y) {
    const auto target = block_target(all_rows(y.size()), {y}, {}, 7);
    BlockedCodes codes{{}, 12};
    for (const auto row : target.rows) codes.code.push_back(rows.code[row]);
    return explained(target, codes, 1.0);
  };
  EXPECT_LT(share(rows.y), 0.001);
  std::vector<float> y = rows.y;
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += rows.code[i] < 6 ? 1.0F : -1.0F;
  EXPECT_NEAR(share(y), 0.5, 0.02);  // a variance of 1 beside noise of 1
}

TEST(BlockedTarget, BlocksAreAlikeInSizeAndAFunctionOfTheSeed) {
  const std::vector<float> y(16000, 1.0F);
  const auto one = block_target(all_rows(16000), {y}, {}, 1);
  for (int b = 0; b < BlockedTarget::kBlocks; ++b) {
    EXPECT_NEAR(static_cast<double>(one.first[b + 1] - one.first[b]), 1000.0, 120.0);
  }
  EXPECT_EQ(one.rows, block_target(all_rows(16000), {y}, {}, 1).rows);
  EXPECT_NE(one.rows, block_target(all_rows(16000), {y}, {}, 2).rows);
}

TEST(BlockedTarget, LanesAreTheSecondOfTwoClassesOrEveryClassOrEveryTarget) {
  const Task two{TaskKind::classification, {"no", "yes"}};
  const Task three{TaskKind::classification, {"a", "b", "c"}};
  const std::vector<float> label = {0, 1, 1, 0};
  EXPECT_EQ(target_lanes(two, label), (std::vector<std::vector<float>>{{0, 1, 1, 0}}));
  EXPECT_EQ(target_lanes(three, label),
            (std::vector<std::vector<float>>{{1, 0, 0, 1}, {0, 1, 1, 0}, {0, 0, 0, 0}}));
  EXPECT_EQ(target_lanes({.targets = 2}, label), (std::vector<std::vector<float>>{{0, 1}, {1, 0}}));
}

}  // namespace
}  // namespace gradatim::boost
