#include "gradatim/data/split.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "gradatim/data/testing.h"

namespace gradatim::data {
namespace {

using namespace testing;

TEST(Split, HasTheExactCountsAndEveryRowOnce) {
  const Split split = split_rows(1001, 0.2, 7);
  EXPECT_EQ(split.valid.size(), 200U);
  std::vector<std::int64_t> all = split.train;
  all.insert(all.end(), split.valid.begin(), split.valid.end());
  std::sort(all.begin(), all.end());
  for (std::int64_t row = 0; row < 1001; ++row) ASSERT_EQ(all[static_cast<std::size_t>(row)], row);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
}

TEST(Split, DependsOnTheSeedAlone) {
  EXPECT_EQ(split_rows(1000, 0.3, 1).valid, split_rows(1000, 0.3, 1).valid);
  EXPECT_NE(split_rows(1000, 0.3, 1).valid, split_rows(1000, 0.3, 2).valid);
}

TEST(Split, IsKnownForOneSeedForever) {
  EXPECT_EQ(split_rows(10, 0.3, 0).valid, (std::vector<std::int64_t>{4, 5, 7}))
      << "computed by another implementation";
}

TEST(Split, KeepsTheSharesOfClassesWhenStratified) {
  std::vector<std::int32_t> classes(1000);
  for (std::size_t i = 0; i < 1000; ++i) classes[i] = i % 10 == 0 ? 1 : i % 100 == 1 ? -1 : 0;
  std::map<std::int32_t, int> count;
  for (const auto row : split_stratified(classes, 0.2, 3).valid) {
    ++count[classes[static_cast<std::size_t>(row)]];
  }
  EXPECT_EQ(count[1], 20);
  EXPECT_EQ(count[-1], 2);
  EXPECT_EQ(count[0], 178);
}

TEST(Split, AnEmptyPartIsRefused) {
  EXPECT_EQ(
      error_of([] { split_rows(3, 0.1, 0); }),
      "a validation part of 0.1 leaves 3 of 3 rows to train and 0 to validate; give more rows "
      "or another part (GRD-2018)");
  EXPECT_EQ(error_of([] { split_rows(3, 1.5, 0); }),
            "the validation part must lie between 0 and 1, but 1.5 was given (GRD-2018)");
}

TEST(Folds, DifferByOneRowAtMost) {
  const auto folds = assign_folds(103, 5, 1);
  std::map<std::int32_t, int> sizes;
  for (const auto fold : folds) ++sizes[fold];
  EXPECT_EQ(sizes, (std::map<std::int32_t, int>{{0, 21}, {1, 21}, {2, 21}, {3, 20}, {4, 20}}));
  const Split split = fold_split(folds, 3);
  EXPECT_EQ(split.valid.size(), 20U);
  EXPECT_EQ(split.train.size(), 83U);
}

TEST(Folds, SpreadEveryClassEvenlyWhenStratified) {
  std::vector<std::int32_t> classes(100);
  for (std::size_t i = 0; i < 10; ++i) classes[i] = 1;
  const auto folds = assign_folds_stratified(classes, 5, 1);
  std::map<std::int32_t, int> ones;
  for (std::size_t i = 0; i < 10; ++i) ++ones[folds[i]];
  for (const auto& [fold, count] : ones) EXPECT_EQ(count, 2) << fold;
  EXPECT_EQ(ones.size(), 5U);
}

TEST(Folds, MoreThanRowsAreRefused) {
  EXPECT_EQ(error_of([] { assign_folds(3, 5, 0); }),
            "5 folds of 3 rows are not possible; use at least 2, and no more than rows (GRD-2018)");
}

}  // namespace
}  // namespace gradatim::data
