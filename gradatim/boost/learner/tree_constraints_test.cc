// What constraints promise, for every way of growing: monotone predictions, paths within groups,
// features that are drawn, children with rows enough.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "gradatim/boost/testing.h"
#include "gradatim/boost/tree/tree_member.h"

namespace gradatim::boost {
namespace {

using namespace testing;

data::FitRequest request(std::int64_t rows, Target target = Target::numbers, bool weights = false,
                         double missing = 0.15) {
  auto made =
      request_of(learnable({.rows = rows, .numeric = 4, .missing = missing}, target, 3, weights));
  if (weights) made.weight = "w";
  return made;
}

/// The trees of a model over numeric features, as its file has them.
std::vector<Tree> trees_of(const data::Model& model) {
  const std::string bytes = model.bytes();
  const SafetensorsFile file(bytes, "model");
  std::vector<FeatureBins> features;
  for (const auto& column : model.card().features.columns)
    features.push_back({.name = column.name});
  std::vector<Tree> trees;
  for (const auto& member : load_trees(file, features)) {
    trees.push_back(static_cast<const TreeMember&>(*member).tree());
  }
  return trees;
}

/// Predictions along `feature` at random places never run against `direction`.
void expect_monotone(const data::Model& model, int feature, int direction) {
  constexpr std::int64_t kPlaces = 300;
  constexpr std::int64_t kSteps = 24;
  Random r(99);
  std::vector<std::vector<double>> columns(4);
  for (std::int64_t p = 0; p < kPlaces; ++p) {
    double place[4];
    for (double& x : place) x = r.uniform() < 0.15 ? kNaN : 4.4 * r.uniform() - 2.2;
    for (std::int64_t s = 0; s < kSteps; ++s) {
      for (int f = 0; f < 4; ++f) columns[f].push_back(place[f]);
      columns[feature].back() = -2.2 + 4.4 * static_cast<double>(s) / (kSteps - 1);
    }
  }
  std::vector<data::Column> table;
  for (int f = 0; f < 4; ++f) {
    table.push_back(data::numeric_column(fmt::format("x{}", f), std::move(columns[f])));
  }
  const auto scores =
      model.predict(data::Table(std::move(table)), {.kind = data::PredictKind::margin}).values;
  std::int64_t against = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (i % kSteps == 0) continue;
    if (direction * (scores[i] - scores[i - 1]) < 0.0) ++against;
  }
  EXPECT_EQ(against, 0) << "of " << scores.size();
}

TEST(MonotoneConstraints, HoldForEveryWayOfGrowing) {
  const std::vector<Options> ways = {
      {},
      {{"grow_policy", "lossguide"}, {"max_leaves", "20"}, {"max_depth", "0"}},
      {{"tree_method", "exact"}},
      {{"tree_method", "exact"}, {"grow_policy", "lossguide"}, {"max_leaves", "20"}},
      {{"reg_alpha", "3"}, {"max_delta_step", "0.7"}},
      {{"path_smooth", "5"}, {"min_child_samples", "4"}},
      {{"loss", "absolute"}},
      {{"subsample", "0.5"}, {"colsample_bynode", "0.5"}},
      {{"extra_trees", "true"}},
      {{"grow_policy", "symmetric"}, {"max_depth", "5"}},
      {{"grow_policy", "symmetric"}, {"loss", "absolute"}, {"path_smooth", "2"}},
  };
  for (const bool weights : {false, true}) {
    for (const auto& way : ways) {
      std::string name;
      for (const auto& [key, value] : way) name += key + "=" + value + " ";
      SCOPED_TRACE(name);
      Options options = {{"n_estimators", "20"}, {"monotone_constraints", "x1:-1,x0:1"}};
      options.insert(options.end(), way.begin(), way.end());
      const auto model = fit("boost.newton", options, request(600, Target::numbers, weights));
      expect_monotone(*model, 0, 1);
      expect_monotone(*model, 1, -1);
    }
  }
}

// Whole numbers, whose target is by pairs of x0 and x1 and by pairs of x0 and x2.
data::FitRequest paired(std::int64_t rows) {
  Random r(5);
  auto columns = random_features({.rows = rows, .numeric = 4, .distinct = 5}, r);
  const auto a = numbers(columns[0]), b = numbers(columns[1]), c = numbers(columns[2]);
  std::vector<double> y;
  for (std::int64_t i = 0; i < rows; ++i) {
    const double pair = std::fmod(std::abs(a[i] * 3.0 + b[i] * 5.0), 4.0);
    y.push_back(pair + a[i] * c[i] + 0.3 * r.normal());
  }
  columns.push_back(data::numeric_column("y", std::move(y)));
  return request_of(data::Table(std::move(columns)));
}

// A statistic over a feature and another one moves as it likes.
TEST(MonotoneConstraints, HoldWhereFeaturesAreCombined) {
  const Options options = {{"n_estimators", "20"}, {"target_statistics", "combinations"}};
  auto constrained = options;
  constrained.emplace_back("monotone_constraints", "x0:1");
  const auto model = fit("boost.newton", constrained, paired(2000));
  const auto score = [&](double x0, double x1, double x2) {
    const data::Table row({data::numeric_column("x0", {x0}), data::numeric_column("x1", {x1}),
                           data::numeric_column("x2", {x2}), data::numeric_column("x3", {0})});
    return margins(*model, row).front();
  };
  for (int pair = 0; pair < 25; ++pair) {
    for (int x0 = -1; x0 <= 2; ++x0) {
      const double x1 = pair % 5 - 2, x2 = pair / 5 - 2;
      EXPECT_LE(score(x0 - 1, x1, x2), score(x0, x1, x2)) << x0 << " " << x1 << " " << x2;
    }
  }
}

TEST(MonotoneConstraints, HoldForRefittedLeavesAndClasses) {
  const Options options = {
      {"n_estimators", "20"}, {"learner", "tree"}, {"monotone_constraints", "0,1,0,-1"}};
  for (const char* model : {"boost.gradient", "boost.newton"}) {
    const auto fitted = fit(model, options, request(800, Target::two_classes));
    expect_monotone(*fitted, 1, 1);
    expect_monotone(*fitted, 3, -1);
  }
}

TEST(MonotoneConstraints, AboveThePackedLimitToo) {
  const auto model =
      fit("boost.newton", {{"n_estimators", "4"}, {"monotone_constraints", "x2:-1,x0:1"}},
          request(70000, Target::two_classes, true));
  expect_monotone(*model, 0, 1);
  expect_monotone(*model, 2, -1);
}

TEST(MonotoneConstraints, AreNotKeptByChanceAlone) {
  const auto model = fit("boost.newton", {{"n_estimators", "20"}}, request(600));
  const auto constrained =
      fit("boost.newton", {{"n_estimators", "20"}, {"monotone_constraints", "x1:0"}}, request(600));
  EXPECT_EQ(margins(*model, request(600).table), margins(*constrained, request(600).table));
  const auto falling =
      fit("boost.newton", {{"n_estimators", "20"}, {"monotone_constraints", "x0:-1"}},
          request(600, Target::numbers, false, 0.0));
  expect_monotone(*falling, 0, -1);  // the signal rises: nothing is left but a constant
}

TEST(InteractionConstraints, EveryPathLiesInOneGroup) {
  for (const char* policy : {"depthwise", "lossguide"}) {
    const auto model = fit("boost.newton",
                           {{"n_estimators", "10"},
                            {"grow_policy", policy},
                            {"max_leaves", "24"},
                            {"interaction_constraints", "x0,x1;x1,x2"}},
                           request(800));
    std::set<std::set<std::int32_t>> seen;
    const auto walk = [&](auto&& self, const Tree& tree, std::int32_t at,
                          std::set<std::int32_t> used) -> void {
      const Node& node = tree.nodes[at];
      if (node.leaf()) {
        seen.insert(used);
        return;
      }
      used.insert(node.feature);
      self(self, tree, node.left, used);
      self(self, tree, node.left + 1, used);
    };
    for (const Tree& tree : trees_of(*model)) walk(walk, tree, 0, {});
    for (const auto& path : seen) {
      EXPECT_FALSE(path.contains(0) && path.contains(2));
      EXPECT_FALSE(path.contains(3) && path.size() > 1);
    }
    EXPECT_TRUE(seen.contains({0, 1}));
    EXPECT_TRUE(seen.contains({1, 2}));
  }
}

// Of features that may not meet, what one adds does not depend on the other.
TEST(InteractionConstraints, HoldWhereFeaturesAreCombined) {
  const auto model = fit("boost.newton",
                         {{"n_estimators", "20"},
                          {"target_statistics", "combinations"},
                          {"interaction_constraints", "x0,x1;x1,x2"}},
                         paired(2000));
  const auto score = [&](double x0, double x2) {
    const data::Table row({data::numeric_column("x0", {x0}), data::numeric_column("x1", {1}),
                           data::numeric_column("x2", {x2}), data::numeric_column("x3", {0})});
    return margins(*model, row).front();
  };
  for (int x0 = -1; x0 <= 2; ++x0) {
    for (int x2 = -1; x2 <= 2; ++x2) {
      EXPECT_EQ(score(x0, x2) - score(x0 - 1, x2), score(x0, x2 - 1) - score(x0 - 1, x2 - 1));
    }
  }
  EXPECT_NE(score(1, 0), score(-1, 0));
}

TEST(ColumnSampling, ALevelSeesItsShareAndANodeItsShareOfThat) {
  const auto levels =
      fit("boost.newton", {{"n_estimators", "12"}, {"colsample_bylevel", "0.25"}}, request(800));
  std::set<std::int32_t> roots;
  for (const Tree& tree : trees_of(*levels)) {
    std::vector<int> depth(tree.nodes.size());
    std::vector<std::set<std::int32_t>> used(8);
    for (std::size_t n = 0; n < tree.nodes.size(); ++n) {
      const Node& node = tree.nodes[n];
      if (node.leaf()) continue;
      depth[node.left] = depth[node.left + 1] = depth[n] + 1;
      used[depth[n]].insert(node.feature);
      if (n == 0) roots.insert(node.feature);
    }
    for (const auto& level : used) EXPECT_LE(level.size(), 1U);
  }
  EXPECT_GT(roots.size(), 2U);
  const auto nodes =
      fit("boost.newton", {{"n_estimators", "3"}, {"colsample_bynode", "0.25"}}, request(800));
  std::set<std::int32_t> second;
  for (const Tree& tree : trees_of(*nodes)) {
    for (int side = 0; side < 2; ++side)
      second.insert(tree.nodes[tree.nodes[0].left + side].feature);
  }
  EXPECT_GT(second.size(), 1U) << "nodes of a level draw apart";
}

TEST(ColumnSampling, AFeatureOfWeightZeroIsLeftOut) {
  for (const char* share : {"colsample_bytree", "colsample_bylevel", "colsample_bynode"}) {
    const auto model =
        fit("boost.newton", {{"n_estimators", "10"}, {share, "0.5"}, {"feature_weights", "x0:0"}},
            request(500));
    for (const Tree& tree : trees_of(*model)) {
      for (const Node& node : tree.nodes) EXPECT_NE(node.feature, 0) << share;
    }
  }
}

TEST(MinChildSamples, CountsRowsAndNotWeights) {
  for (const char* method : {"histogram", "exact"}) {
    const auto model = fit("boost.newton",
                           {{"n_estimators", "5"},
                            {"min_child_samples", "37"},
                            {"min_child_weight", "0"},
                            {"tree_method", method}},
                           request(700, Target::numbers, true));
    std::int64_t fewest = 700;
    for (const Tree& tree : trees_of(*model)) {
      EXPECT_GT(tree.nodes.size(), 3U);
      for (const Node& node : tree.nodes) fewest = std::min(fewest, node.count);
    }
    EXPECT_GE(fewest, 37);
    EXPECT_LT(fewest, 60) << "the limit is reached";
  }
}

TEST(PathSmooth, DrawsAChildToItsParent) {
  const Options one = {
      {"n_estimators", "1"}, {"learning_rate", "1"}, {"max_depth", "1"}, {"path_smooth", "50"}};
  const auto rows = request(400, Target::numbers, false, 0.0);
  const auto free = fit("boost.newton", Options(one.begin(), one.end() - 1), rows);
  const auto smooth = fit("boost.newton", one, rows);
  const Tree a = trees_of(*free)[0];
  const Tree b = trees_of(*smooth)[0];
  ASSERT_EQ(a.nodes[0].threshold, b.nodes[0].threshold);
  // The root's own value is about zero: the base score is the mean.
  for (int n = 1; n < 3; ++n) {
    const double own = static_cast<double>(a.nodes[n].count) / (a.nodes[n].count + 50.0);
    EXPECT_NEAR(b.nodes[n].value, a.nodes[n].value * own, 1e-5);
  }
}

TEST(MaxDeltaStep, BoundsLeavesThatTheLossRefitsToo) {
  const auto data = request(500);
  for (const char* loss : {"squared", "absolute", "quantile", "huber"}) {
    const Options options{
        {"loss", loss}, {"n_estimators", "5"}, {"learning_rate", "1"}, {"max_delta_step", "0.01"}};
    const auto scores = fit("boost.newton", options, data)
                            ->predict(data.table, {.kind = data::PredictKind::margin})
                            .values;
    const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
    EXPECT_GT(*most - *least, 0.01) << loss;
    EXPECT_LE(*most - *least, 2 * 5 * 0.01 + 1e-9) << loss;
  }
}

TEST(ExtraTrees, DifferBySeedAndLearn) {
  auto rows = request(800, Target::numbers, false, 0.0);
  const Options options = {{"n_estimators", "30"}, {"extra_trees", "true"}};
  const auto one = margins(*fit("boost.newton", options, rows), rows.table);
  rows.seed = 7;
  const auto other = margins(*fit("boost.newton", options, rows), rows.table);
  EXPECT_NE(one, other);
  const auto y = numbers(rows.table.column("y"));
  double error = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) error += (y[i] - one[i]) * (y[i] - one[i]);
  EXPECT_LT(error / static_cast<double>(y.size()), 0.5);
}

TEST(FeatureSettings, AreCheckedAgainstTheData) {
  const auto code = [](const Options& options, const std::string& model = "boost.newton") {
    auto rows =
        request_of(learnable({.rows = 60, .numeric = 2, .categorical = 1}, Target::two_classes, 1));
    return code_of([&] { fit(model, options, rows); });
  };
  EXPECT_EQ(code({{"monotone_constraints", "x9:1"}}), 1028);
  EXPECT_EQ(code({{"interaction_constraints", "x0,y"}}), 1028);
  EXPECT_EQ(code({{"feature_weights", "X0:2"}}), 1028);
  EXPECT_EQ(code({{"monotone_constraints", "1,0"}}), 1029);
  EXPECT_EQ(code({{"monotone_constraints", "c0:1"}}), 1030);
  EXPECT_EQ(code({{"monotone_constraints", "c0:0,x0:1"}}), 0);
  EXPECT_EQ(code({{"learner", "tree"}, {"monotone_constraints", "x0:1"}}, "boost.adaboost"), 1031);
  EXPECT_EQ(code({{"learner", "tree"}, {"path_smooth", "1"}}, "boost.adaboost"), 1031);
  EXPECT_EQ(code({{"learner", "tree"}, {"max_delta_step", "1"}}, "boost.adaboost"), 1031);
  EXPECT_EQ(code({{"learner", "tree"}, {"reg_alpha", "1"}}, "boost.adaboost"), 1031);
  const Options gentle = {{"learner", "tree"}, {"reg_alpha", "1"}, {"algorithm", "gentle"}};
  EXPECT_EQ(code(gentle, "boost.adaboost"), 0) << "leaves have values";
  EXPECT_EQ(code({{"learner", "tree"}, {"min_child_samples", "5"}}, "boost.adaboost"), 0);
  EXPECT_EQ(code({{"extra_trees", "true"}, {"tree_method", "exact"}}), 1032);
  EXPECT_EQ(code({{"grow_policy", "symmetric"}, {"max_depth", "17"}}), 1032);
  EXPECT_EQ(code({{"grow_policy", "symmetric"}, {"tree_method", "exact"}}), 1032);
  EXPECT_EQ(code({{"grow_policy", "symmetric"}, {"max_depth", "16"}}), 0);
}

}  // namespace
}  // namespace gradatim::boost
