// The law of promise 1: a tree says the same of a row's bins and of its raw values, to the bit.
#include "gradatim/boost/tree/tree_member.h"

#include <gtest/gtest.h>

#include "gradatim/boost/predict/bin_tree.h"
#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/grower.h"

namespace gradatim::boost {
namespace {

using namespace testing;

struct Fitted {
  BinnedData data;
  TreeMember member;
};

Fitted fit_tree(const data::Table& table, std::uint64_t seed, const BinOptions& options) {
  BinnedData data(table, {}, options);
  Random r(seed);
  std::vector<float> g;
  const auto signal = hidden_signal({table.columns().begin(), table.columns().end()});
  for (const double s : signal) g.push_back(static_cast<float>(s + 0.2 * r.normal()));
  Statistics s;
  quantise(g, std::vector<float>(g.size(), 1.0F), {}, {.force_wide = true}, s);
  const WideNewton criterion(s, {.min_child_weight = 1.0});
  std::vector<std::uint32_t> rows;
  for (std::uint32_t row = 0; row < g.size(); ++row) rows.push_back(row);
  std::vector<std::int32_t> features;
  for (std::size_t f = 0; f < data.features().size(); ++f) features.push_back(static_cast<int>(f));
  GrowBuffers buffers;
  const GrowOptions grow{.max_depth = 7};
  TreeGrower<WideNewton, WideNewton> grower(data, criterion, criterion, grow, features, buffers);
  Tree tree = grower.grow(rows);
  EXPECT_GT(tree.nodes.size(), 8U);
  return {std::move(data), TreeMember(std::move(tree))};
}

void expect_equal_predictions(const Fitted& fitted, const data::Table& rows,
                              const BinnedData& binned) {
  const auto values = raw_rows(rows, fitted.data.features());
  const std::int64_t count = rows.rows();
  std::vector<double> raw(count);
  std::vector<double> by_bins(count);
  fitted.member.predict({values.data(), count, static_cast<std::int64_t>(rows.columns().size())},
                        raw.data());
  fitted.member.predict(binned, 0, count, by_bins.data());
  for (std::int64_t row = 0; row < count; ++row) EXPECT_EQ(raw[row], by_bins[row]) << "row " << row;
  if (!BinTree::suits(fitted.member.tree(), binned)) return;
  std::vector<double> by_code(count);
  BinTree(fitted.member.tree(), binned).predict(0, count, by_code.data());
  EXPECT_EQ(raw, by_code);
}

const TableShape kShape{
    .rows = 400, .numeric = 3, .categorical = 2, .categories = 40, .missing = 0.2};

// Rows that training never saw: cuts and their neighbours, infinities, both zeros, new words.
data::Table awkward_rows(const BinnedData& data, std::uint64_t seed) {
  Random r(seed);
  std::vector<data::Column> columns;
  constexpr std::int64_t kRows = 600;
  for (const FeatureBins& bins : data.features()) {
    if (bins.categorical()) {
      auto words = bins.categories;
      words.push_back("never seen");
      std::vector<std::int32_t> codes;
      for (std::int64_t i = 0; i < kRows; ++i) {
        codes.push_back(
            static_cast<std::int32_t>(r.below(static_cast<std::int64_t>(words.size()) + 1)) - 1);
      }
      columns.push_back(data::categorical_column(bins.name, codes, words));
      continue;
    }
    std::vector<double> cells;
    for (std::int64_t i = 0; i < kRows; ++i) {
      const double cut =
          bins.cuts.empty() ? 0.0 : bins.cuts[r.below(static_cast<std::int64_t>(bins.cuts.size()))];
      const double choices[] = {cut,
                                std::nextafter(cut, -1e9),
                                std::nextafter(cut, 1e9),
                                kInfinity,
                                -kInfinity,
                                0.0,
                                -0.0,
                                kNaN,
                                r.normal()};
      cells.push_back(choices[r.below(9)]);
    }
    columns.push_back(data::numeric_column(bins.name, std::move(cells)));
  }
  return data::Table(std::move(columns));
}

TEST(TreeMember, SaysTheSameOfBinsAndOfRawValues) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random r(seed);
    TableShape shape = kShape;
    shape.distinct = seed % 5 == 0 ? 5 : 0;
    const data::Table table(random_features(shape, r));
    constexpr std::int32_t kMaxBin[] = {255, 12, 1000};  // the last takes two bytes
    const Fitted fitted = fit_tree(table, seed, {.max_bin = kMaxBin[seed % 3]});
    EXPECT_TRUE(BinTree::suits(fitted.member.tree(), fitted.data));
    expect_equal_predictions(fitted, table, fitted.data);
    const data::Table other = awkward_rows(fitted.data, seed);
    expect_equal_predictions(fitted, other, BinnedData(other, fitted.data));
  }
}

TEST(TreeMember, SaysTheSameOfBinsWithSeveralOutputs) {
  constexpr std::int64_t kRows = 3000;  // enough for predict_all() to make a code
  Random r(21);
  TableShape shape = kShape;
  shape.rows = kRows;
  const data::Table table(random_features(shape, r));
  Fitted fitted = fit_tree(table, 21, {});
  Tree& tree = fitted.member.tree();
  for (const int outputs : {2, 5, 8, 33}) {
    tree.outputs = outputs;
    tree.vectors.clear();
    for (std::size_t i = 0; i < tree.nodes.size() * outputs; ++i) {
      tree.vectors.push_back(static_cast<float>(r.normal()));
    }
    const auto values = raw_rows(table, fitted.data.features());
    std::vector<double> raw(kRows * outputs);
    std::vector<double> by_bins(raw.size());
    std::vector<double> by_code(raw.size());
    fitted.member.predict({values.data(), kRows, static_cast<std::int64_t>(table.columns().size())},
                          raw.data());
    fitted.member.predict(fitted.data, 0, kRows, by_bins.data());
    ASSERT_TRUE(BinTree::suits(tree, fitted.data));
    fitted.member.predict_all(fitted.data, by_code.data());
    EXPECT_EQ(raw, by_bins) << outputs;
    EXPECT_EQ(raw, by_code) << outputs;
  }
}

TEST(TreeMember, ExactTreesSayTheSameOfTheTrainingRows) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Random r(seed);
    TableShape shape = kShape;
    shape.distinct = seed % 3 == 0 ? 5 : 0;
    const data::Table table(random_features(shape, r));
    const Fitted fitted = fit_tree(table, seed, {.exact = true});
    expect_equal_predictions(fitted, table, fitted.data);
  }
}

// Missing or not is all that tells the targets apart.
data::Table half_missing() {
  std::vector<double> cells;
  for (int i = 0; i < 40; ++i) cells.push_back(i % 2 == 0 ? kNaN : i % 7);
  return data::Table({data::numeric_column("x", std::move(cells))});
}

TEST(TreeMember, PresentAgainstMissingHoldsForInfinitiesToo) {
  const data::Table table = half_missing();
  for (const bool exact : {false, true}) {
    const BinnedData data(table, {}, {.exact = exact});
    std::vector<float> g;
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < 40; ++i) {
      g.push_back(i % 2 == 0 ? 1.0F : -1.0F);
      rows.push_back(i);
    }
    Statistics s;
    quantise(g, std::vector<float>(40, 1.0F), {}, {}, s);
    const WideNewton criterion(s, {});
    GrowBuffers buffers;
    const GrowOptions grow{.max_depth = 1};
    const std::vector<std::int32_t> features = {0};
    TreeGrower<WideNewton, WideNewton> grower(data, criterion, criterion, grow, features, buffers);
    const TreeMember member(grower.grow(rows));
    ASSERT_EQ(member.tree().nodes.size(), 3U);
    const double tried[] = {3.0, kNaN, kInfinity, -kInfinity};
    double out[4];
    member.predict({tried, 4, 1}, out);
    EXPECT_GT(out[0], 0.0);
    EXPECT_EQ(out[1], -out[0]);
    EXPECT_EQ(out[2], out[0]) << "an infinite cell is present";
    EXPECT_EQ(out[3], out[0]);
  }
}

TEST(TreeMember, ShrinkPutsLeavesOnTheGrid) {
  Tree tree;
  tree.nodes.resize(3);
  tree.nodes[0].feature = 0;
  tree.nodes[0].left = 1;
  tree.nodes[1].value = 0.7F;
  tree.nodes[2].value = -1000.3F;
  TreeMember member(tree);
  const Grid grid{.step = 0x1p-10};
  member.shrink(0.1, grid);
  for (const int n : {1, 2}) {
    const double steps = double{member.tree().nodes[n].value} / grid.step;
    EXPECT_EQ(steps, std::nearbyint(steps));
    EXPECT_NEAR(member.tree().nodes[n].value, 0.1 * tree.nodes[n].value, grid.step);
  }
}

}  // namespace
}  // namespace gradatim::boost
