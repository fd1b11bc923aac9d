#include "gradatim/boost/bins/bundle.h"

#include <gtest/gtest.h>

#include <numeric>

#include "gradatim/boost/bins/binned_data.h"
#include "gradatim/boost/learner/learner.h"
#include "gradatim/boost/sparse_testing.h"
#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/criterion.h"
#include "gradatim/boost/tree/grower.h"

namespace gradatim::boost {
using namespace testing;
namespace {

constexpr std::int64_t kRows = 3000;

// One-hot columns of two categories' words, some rows without a word, and two plain numbers.
std::vector<data::Column> one_hot(Random& r) {
  auto columns = random_features({.rows = kRows, .numeric = 2, .missing = 0.1}, r);
  for (const int words : {5, 30}) {
    std::vector<std::vector<double>> cells(words, std::vector<double>(kRows));
    for (std::int64_t row = 0; row < kRows; ++row) {
      const std::int64_t word = r.below(words + 1);
      if (word < words) cells[word][row] = 1.0;
    }
    for (int w = 0; w < words; ++w) {
      columns.push_back(data::numeric_column(fmt::format("h{}_{}", words, w), std::move(cells[w])));
    }
  }
  return columns;
}

TEST(Bundle, OneHotColumnsOfAWordShareAColumn) {
  Random r(1);
  const BinnedData data(data::Table(one_hot(r)), {}, {});
  ASSERT_EQ(data.bundles().size(), 2U);
  EXPECT_EQ(data.bundles()[0].members.size() + data.bundles()[1].members.size(), 35U);
}

TEST(Bundle, TheCodeOfARowIsTheCellOfTheFeatureOutsideItsDefault) {
  Random r(2);
  const BinnedData data(data::Table(one_hot(r)), {}, {});
  for (const auto& bundle : data.bundles()) {
    for (std::int64_t row = 0; row < kRows; ++row) {
      std::int32_t expected = bundle.members[0].default_bin;
      for (std::size_t m = 0; m < bundle.members.size(); ++m) {
        const std::int32_t bin = data.bin(bundle.members[m].feature, row);
        if (bin != bundle.members[m].default_bin) expected = bundle.first_code[m] + bin;
      }
      EXPECT_EQ(bundle.column.at(row), expected);
    }
  }
}

TEST(Bundle, FeaturesThatMeetInARowStayApart) {
  std::vector<double> a(100);
  std::vector<double> b(100);
  a[3] = b[3] = 1.0;
  const data::Table table({data::numeric_column("a", a), data::numeric_column("b", b)});
  EXPECT_TRUE(BinnedData(table, {}, {}).bundles().empty());
}

TEST(Bundle, AMissingCellIsOutsideTheDefaultToo) {
  std::vector<double> a(100);
  std::vector<double> b(100);
  std::vector<double> c(100);
  a[3] = kNaN;
  b[3] = 1.0;
  c[4] = 1.0;
  const data::Table table(
      {data::numeric_column("a", a), data::numeric_column("b", b), data::numeric_column("c", c)});
  const BinnedData data(table, {}, {});
  ASSERT_EQ(data.bundles().size(), 1U);
  EXPECT_EQ(data.bundles()[0].members[0].feature, 0);
  EXPECT_EQ(data.bundles()[0].members[1].feature, 2);
}

Tree grown(const BinnedData& data, const Statistics& statistics, std::int32_t max_leaves,
           std::span<const std::int32_t> features) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < kRows; ++row) {
    if (row % 5 != 0) rows.push_back(row);
  }
  const WideNewton criterion(statistics, {.min_child_weight = 0.0});
  GrowBuffers buffers;
  const GrowOptions options{
      .max_depth = 8,
      .max_leaves = max_leaves,
      .grow_policy = max_leaves > 0 ? GrowPolicy::lossguide : GrowPolicy::depthwise};
  TreeGrower<WideNewton, WideNewton> grower(data, criterion, criterion, options, features, buffers);
  return grower.grow(rows);
}

TEST(Bundle, TreesAreTheSameWithAndWithout) {
  Random r(3);
  const data::Table table(one_hot(r));
  const BinnedData bundled(table, {}, {});
  const BinnedData apart(table, {}, {.bundle = false});
  ASSERT_TRUE(apart.bundles().empty());
  std::vector<float> g(kRows);
  const std::vector<float> h(kRows, 1.0F);
  for (std::int64_t row = 0; row < kRows; ++row) {
    g[row] = static_cast<float>(r.normal());
    for (std::int32_t f = 2; f < 37; ++f) g[row] += apart.bin(f, row) * (f % 3 - 1.0F);
  }
  Statistics statistics;
  quantise(g, h, {}, {}, statistics);
  std::vector<std::int32_t> all(table.columns().size());
  std::iota(all.begin(), all.end(), 0);
  const std::vector<std::int32_t> some = {0, 3, 8, 20};
  for (const std::int32_t leaves : {0, 20}) {
    for (const auto& features : {all, some}) {
      const Tree a = grown(bundled, statistics, leaves, features);
      const Tree b = grown(apart, statistics, leaves, features);
      ASSERT_GT(a.nodes.size(), 15U);
      ASSERT_EQ(a.nodes.size(), b.nodes.size());
      for (std::size_t n = 0; n < a.nodes.size(); ++n) {
        EXPECT_EQ(a.nodes[n].feature, b.nodes[n].feature);
        EXPECT_EQ(a.nodes[n].threshold, b.nodes[n].threshold);
        EXPECT_EQ(a.nodes[n].value, b.nodes[n].value);
        EXPECT_EQ(a.nodes[n].missing_left, b.nodes[n].missing_left);
      }
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
