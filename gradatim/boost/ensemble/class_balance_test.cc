#include "gradatim/boost/ensemble/class_balance.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

const Task kTwo{TaskKind::classification, {"no", "yes"}};
const std::vector<float> kLabel = {0, 0, 0, 1};

TEST(ClassBalance, GivesEachClassTheSameWeight) {
  const auto weight = balanced({ClassWeight::balanced}, {}, kTwo, kLabel, {});
  EXPECT_EQ(weight, (std::vector<float>{2.0F / 3.0F, 2.0F / 3.0F, 2.0F / 3.0F, 2.0F}));
}

TEST(ClassBalance, MultipliesTheRowsOwnWeights) {
  EXPECT_EQ(balanced({.scale_pos_weight = 3.0}, {}, kTwo, kLabel, {1, 2, 1, 2}),
            (std::vector<float>{1, 2, 1, 6}));
  EXPECT_TRUE(balanced({}, {}, kTwo, kLabel, {}).empty());
}

TEST(ClassBalance, TakesWeightsByClass) {
  const Task two{TaskKind::classification, {"no", "yes"}};
  const std::vector<float> label = {0, 1, 1};
  EXPECT_EQ(balanced({}, {{"yes", 3.0}}, two, label, {}), (std::vector<float>{1, 3, 3}));
  EXPECT_EQ(balanced({.scale_pos_weight = 2.0}, {{"no", 5.0}}, two, label, {2, 1, 1}),
            (std::vector<float>{10, 2, 2}));
  for (const double wrong : {0.0, -1.0, kNaN, kInfinity}) {
    EXPECT_EQ(code_of([&] { balanced({}, {{"yes", wrong}}, two, label, {}); }), 1003) << wrong;
  }
  EXPECT_EQ(code_of([&] { balanced({}, {{"yes", 3.0}}, {}, label, {}); }), 1033);
}

TEST(ClassBalance, NeedsClasses) {
  const Task three{TaskKind::classification, {"a", "b", "c"}};
  EXPECT_EQ(code_of([] { balanced({ClassWeight::balanced}, {}, {}, kLabel, {}); }), 1033);
  EXPECT_EQ(code_of([] { balanced({.scale_pos_weight = 2.0}, {}, {}, kLabel, {}); }), 1033);
  EXPECT_EQ(code_of([&] { balanced({.scale_pos_weight = 2.0}, {}, three, kLabel, {}); }), 1033);
}

// A weight is a row said so many times.
TEST(ClassBalance, AFactorOfTwoIsEveryRowOfTheClassTwice) {
  const auto rows = learnable({.rows = 300, .numeric = 3}, Target::two_classes, 4);
  std::vector<std::vector<double>> cells(3);
  std::vector<std::int32_t> y;
  for (std::int64_t i = 0; i < rows.rows(); ++i) {
    const bool yes = rows.column("y").cell(i) == "yes";
    for (int times = 0; times < (yes ? 2 : 1); ++times) {
      for (int f = 0; f < 3; ++f) cells[f].push_back(numbers(rows.columns()[f])[i]);
      y.push_back(yes ? 1 : 0);
    }
  }
  std::vector<data::Column> columns;
  for (int f = 0; f < 3; ++f) {
    columns.push_back(data::numeric_column(fmt::format("x{}", f), std::move(cells[f])));
  }
  columns.push_back(data::categorical_column("y", std::move(y), {"no", "yes"}));
  const Options exact = {{"n_estimators", "5"}, {"tree_method", "exact"}};
  Options scaled = exact;
  scaled.emplace_back("scale_pos_weight", "2");
  const auto twice = fit("boost.newton", exact, request_of(data::Table(std::move(columns))));
  const auto weighted = fit("boost.newton", scaled, request_of(rows));
  const auto a = margins(*twice, rows);
  const auto b = margins(*weighted, rows);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5);
}

}  // namespace
}  // namespace gradatim::boost
