// One level, and several that never cross.
#include <gtest/gtest.h>

#include <algorithm>

#include "gradatim/boost/loss/testing.h"

namespace gradatim::boost {
namespace {

using namespace testing;

TEST(Quantile, GradientPullsByTheLevelOnEitherSide) {
  const auto made = gradients(*loss("quantile", {{"level", "0.9"}}), {1, 1}, {0, 2});
  EXPECT_EQ(made.g, (std::vector<float>{-0.9F, 0.1F}));
  EXPECT_EQ(made.h, (std::vector<float>{1, 1}));
}

TEST(Quantile, ALeafIsTheWeightedQuantileOfItsResiduals) {
  const auto upper = loss("quantile", {{"levels", "0.5,0.8"}});
  const std::vector<float> label = {1, 2, 3, 4, 5};
  const std::vector<double> score = {0, 0, 0, 0, 1};  // residuals 1, 2, 3, 4, 4
  EXPECT_EQ(upper->leaf_value({label, score, {}, 0}), 3.0);
  EXPECT_EQ(upper->leaf_value({label, score, {}, 1}), 4.0);
  EXPECT_EQ(upper->leaf_value({label, score, std::vector<float>{9, 1, 1, 1, 1}, 0}), 1.0);
}

TEST(Quantile, LevelsThatDoNotAscendAreRefused) {
  for (const char* levels : {"0.5,0.5", "0.9,0.1", "[]"}) {
    EXPECT_EQ(code_of([&] { loss("quantile", {{"levels", levels}}); }), 1026) << levels;
  }
  EXPECT_EQ(code_of([] { loss("quantile", {{"levels", "0.5,1"}}); }), 1003);
}

TEST(Quantile, LearnsOneTarget) {
  EXPECT_EQ(code_of([] { loss("quantile")->check({.targets = 2}, {}); }), 2020);
}

double pinball(double level, double label, double prediction) {
  return label > prediction ? level * (label - prediction) : (1 - level) * (prediction - label);
}

// What rearrangement promises, for any row and any label.
TEST(Quantile, SortingARowNeverRaisesTheSumOfItsLosses) {
  const std::vector<double> levels = {0.05, 0.3, 0.5, 0.8, 0.95};
  const auto several = loss("quantile", {{"levels", "0.05,0.3,0.5,0.8,0.95"}});
  Random r(5);
  for (int trial = 0; trial < 2000; ++trial) {
    std::vector<double> crossed(5);
    for (double& q : crossed) q = r.normal();
    std::vector<double> sorted(5);
    several->transform(crossed, 5, sorted);
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
    const double label = 2.0 * r.normal();
    double before = 0.0;
    double after = 0.0;
    for (int k = 0; k < 5; ++k) {
      before += pinball(levels[k], label, crossed[k]);
      after += pinball(levels[k], label, sorted[k]);
    }
    EXPECT_LE(after, before + 1e-12);
  }
}

data::Table noisy() { return learnable({.rows = 3000, .numeric = 3}, Target::numbers, 21); }

const Options kBand = {{"loss", "quantile"},
                       {"levels", "0.1,0.5,0.9"},
                       {"n_estimators", "40"},
                       {"learning_rate", "0.3"},
                       {"max_depth", "4"}};

TEST(Quantile, PredictionsOfAFitNeverCrossThoughItsScoresDo) {
  for (const char* model : {"boost.gradient", "boost.newton"}) {
    const auto fitted = fit(model, kBand, request_of(noisy()));
    const data::Table other = learnable({.rows = 2000, .numeric = 3}, Target::numbers, 22);
    const auto made = fitted->predict(other, {});
    ASSERT_EQ(made.columns, 3);
    const auto scores = margins(*fitted, other);
    int crossed = 0;
    for (std::int64_t row = 0; row < other.rows(); ++row) {
      const double* q = made.values.data() + 3 * row;
      EXPECT_TRUE(q[0] <= q[1] && q[1] <= q[2]);
      const double* f = scores.data() + 3 * row;
      crossed += f[0] > f[1] || f[1] > f[2];
    }
    EXPECT_GT(crossed, 0) << "nothing was rearranged, so nothing was tested";
  }
}

TEST(Quantile, AboutTheirLevelOfNewRowsLieBelowTheLevels) {
  const auto fitted = fit("boost.gradient", kBand, request_of(noisy()));
  const data::Table other = learnable({.rows = 4000, .numeric = 3}, Target::numbers, 23);
  const auto made = fitted->predict(other, {});
  const auto y = numbers(other.column("y"));
  const double levels[] = {0.1, 0.5, 0.9};
  for (int k = 0; k < 3; ++k) {
    double below = 0.0;
    for (std::size_t row = 0; row < y.size(); ++row) below += y[row] <= made.values[3 * row + k];
    EXPECT_NEAR(below / 4000, levels[k], 0.05);
  }
}

TEST(Quantile, SeveralLevelsFitWhatEachWouldAlone) {
  const data::Table table = noisy();
  const auto together = margins(*fit("boost.gradient", kBand, request_of(table)), table);
  Options alone = kBand;
  alone[1] = {"level", "0.9"};
  const auto one = margins(*fit("boost.gradient", alone, request_of(table)), table);
  for (std::size_t row = 0; row < one.size(); ++row) EXPECT_EQ(together[3 * row + 2], one[row]);
}

TEST(Quantile, IsWatchedAndEvaluatedByTheMetricOfItsOwnLevels) {
  auto request = request_of(noisy());
  request.valid = learnable({.rows = 500, .numeric = 3}, Target::numbers, 24);
  const auto fitted = fit("boost.newton", kBand, request);
  const auto& history = fitted->card().history.front();
  EXPECT_EQ(history.name, "valid.quantile");
  const auto shown = fitted->evaluate(*request.valid, {}, "");
  ASSERT_EQ(shown.size(), 1U) << "rmse and its kin are of one prediction a row";
  EXPECT_EQ(shown.front().second, history.values.back());
  EXPECT_EQ(code_of([&] { fitted->evaluate(*request.valid, {"rmse"}, ""); }), 1025);
}

}  // namespace
}  // namespace gradatim::boost
