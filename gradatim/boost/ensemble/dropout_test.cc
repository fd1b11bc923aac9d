#include "gradatim/boost/ensemble/dropout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

using Drops = std::vector<std::int64_t>;

TEST(Dropout, DropsTheShareThatWasAskedFor) {
  const std::vector<double> weights(10000, 1.0);
  const auto dropped = choose_drops({.rate_drop = 0.2}, weights, 1, 10000);
  EXPECT_NEAR(static_cast<double>(dropped.size()), 2000.0, 150.0);
  EXPECT_TRUE(std::is_sorted(dropped.begin(), dropped.end()));
  EXPECT_TRUE(choose_drops({}, weights, 1, 10000).empty());
  EXPECT_EQ(choose_drops({.rate_drop = 1.0}, std::vector<double>(5, 1.0), 1, 5).size(), 5U);
}

TEST(Dropout, SkipsRoundsAndDropsAtLeastOneInTheOthers) {
  const std::vector<double> weights(3, 1.0);
  int none = 0;
  for (std::int64_t round = 0; round < 4000; ++round) {
    const DropoutConfig config{.rate_drop = 0.01, .skip_drop = 0.25, .one_drop = true};
    none += choose_drops(config, weights, 1, round).empty() ? 1 : 0;
  }
  EXPECT_NEAR(none, 1000.0, 100.0);
  EXPECT_TRUE(choose_drops({.one_drop = true}, {}, 1, 0).empty()) << "nothing to drop";
}

TEST(Dropout, WeightedDropsFollowTheWeights) {
  const std::vector<double> weights = {0.5, 2.5, 1.0};
  std::vector<int> by_rate(3);
  std::vector<int> by_one(3);
  for (std::int64_t round = 0; round < 8000; ++round) {
    for (const auto r :
         choose_drops({.rate_drop = 0.3, .sample_type = SampleType::weighted}, weights, 1, round)) {
      ++by_rate[r];
    }
    for (const auto r :
         choose_drops({.one_drop = true, .sample_type = SampleType::weighted}, weights, 1, round)) {
      ++by_one[r];
    }
  }
  for (int r = 0; r < 3; ++r) {
    EXPECT_NEAR(by_rate[r], 8000 * 0.3 * weights[r] * 3 / 4.0, 200.0);
    EXPECT_NEAR(by_one[r], 8000 * weights[r] / 4.0, 200.0);
  }
}

TEST(Dropout, TheNewRoundTakesThePlaceOfTheDroppedOnes) {
  std::vector<double> weights = {1.0, 1.0, 0.5};
  reweigh({}, 0.5, Drops{0, 2}, weights);
  EXPECT_EQ(weights, (std::vector<double>{0.8, 1.0, 0.4, 0.4}));
  reweigh({.normalize_type = NormalizeType::forest}, 0.25, Drops{1}, weights);
  EXPECT_EQ(weights, (std::vector<double>{0.8, 0.8, 0.4, 0.4, 0.8}));
  reweigh({}, 0.5, {}, weights);
  EXPECT_EQ(weights.back(), 1.0);
}

const TableShape kShape{.rows = 300, .numeric = 3, .categorical = 1, .missing = 0.1};

Options dart(const Options& more) {
  Options options = {{"rate_drop", "0.3"}, {"one_drop", "true"}, {"learning_rate", "0.5"}};
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

TEST(Dart, EarlyStoppingKeepsTheModelAsItWasAtTheBestRound) {
  for (const char* type : {"tree", "forest"}) {
    for (const Target target : {Target::two_classes, Target::three_classes}) {
      auto request = request_of(learnable(kShape, target, 1));
      request.valid = learnable(kShape, target, 2);
      const Options options = dart({{"normalize_type", type}, {"sample_type", "weighted"}});
      Options stopping = options;
      stopping.insert(stopping.end(), {{"n_estimators", "80"}, {"early_stopping_rounds", "6"}});
      const auto model = fit("boost.newton", stopping, request);
      const auto& values = model->card().history.at(0).values;
      const auto best = std::min_element(values.begin(), values.end()) - values.begin();
      ASSERT_LT(values.size(), 80U) << "it did not stop";
      ASSERT_EQ(model->card().rounds, best + 1);
      // To the last bit: the loss that was watched is the loss of the model that was kept.
      EXPECT_EQ(model->evaluate(*request.valid, {"boost.metric.log_loss"}, "").at(0).second,
                values[best]);
      Options shorter = options;
      shorter.emplace_back("n_estimators", std::to_string(best + 1));
      EXPECT_EQ(margins(*fit("boost.newton", shorter, request), *request.valid),
                margins(*model, *request.valid));
    }
  }
}

TEST(Dart, ScoresWhileFittingAreThoseOfTheModel) {
  auto request = request_of(learnable(kShape, Target::numbers, 1));
  request.valid = learnable(kShape, Target::numbers, 2);
  for (const char* subsample : {"1", "0.6"}) {
    const auto model = fit("boost.newton",
                           dart({{"n_estimators", "12"},
                                 {"subsample", subsample},
                                 {"num_parallel_tree", "2"},
                                 {"evaluate_train", "true"}}),
                           request);
    for (const auto& history : model->card().history) {
      const bool valid = history.name == "valid.rmse";
      const auto& table = valid ? *request.valid : request.table;
      EXPECT_EQ(model->evaluate(table, {"boost.metric.rmse"}, "").at(0).second,
                history.values.back())
          << history.name;
    }
  }
}

TEST(Dart, IsTheSameOnAnyNumberOfThreads) {
  auto request = request_of(learnable({.rows = 9000, .numeric = 3}, Target::three_classes, 1));
  const auto on = [&](int threads) {
    const ThreadScope scope(threads);
    return fit("boost.newton", dart({{"n_estimators", "6"}}), request)->bytes();
  };
  EXPECT_EQ(on(1) == on(4), true);
  EXPECT_NE(
      on(1),
      fit("boost.newton", {{"n_estimators", "6"}, {"learning_rate", "0.5"}}, request)->bytes());
}

TEST(Dart, NeedsTrees) {
  const auto request = request_of(learnable(kShape, Target::numbers, 1));
  EXPECT_EQ(code_of([&] { fit("boost.newton", dart({{"learner", "linear"}}), request); }), 1037);
}

TEST(ParallelTrees, AreAveraged) {
  const auto request = request_of(learnable(kShape, Target::three_classes, 1));
  const Options one = {{"n_estimators", "1"}, {"learning_rate", "1"}};
  Options many = one;
  many.emplace_back("num_parallel_tree", "4");
  // Without sampling the trees are equal, and their mean is the tree but for the grid's rounding.
  const auto a = margins(*fit("boost.newton", one, request), request.table);
  const auto b = margins(*fit("boost.newton", many, request), request.table);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
}

TEST(ParallelTrees, SeeRowsAndFeaturesOfTheirOwn) {
  auto request = request_of(learnable(kShape, Target::two_classes, 1));
  request.valid = learnable(kShape, Target::two_classes, 2);
  Options options = {{"n_estimators", "1"}, {"learning_rate", "1"}, {"subsample", "0.7"}};
  const auto loss = [&](const char* trees) {
    Options own = options;
    own.emplace_back("num_parallel_tree", trees);
    return fit("boost.newton", own, request)->card().history.at(0).values.back();
  };
  EXPECT_LT(loss("50"), loss("1"));
}

TEST(ParallelTrees, SurviveTheFile) {
  const auto request = request_of(learnable(kShape, Target::three_classes, 1));
  const auto model =
      fit("boost.newton", {{"n_estimators", "3"}, {"num_parallel_tree", "4"}, {"subsample", "0.6"}},
          request);
  const auto loaded = data::load_model_bytes(model->bytes(), "file");
  EXPECT_EQ(loaded->bytes() == model->bytes(), true);
  EXPECT_EQ(margins(*loaded, request.table), margins(*model, request.table));
  int stages = 0;
  model->predict_staged(request.table, {},
                        [&](std::int64_t, const data::Predictions&) { ++stages; });
  EXPECT_EQ(stages, 3);
}

}  // namespace
}  // namespace gradatim::boost
