#include "gradatim/boost/ensemble/watch.h"

#include <gtest/gtest.h>

namespace gradatim::boost {
namespace {

/// A metric that reads its value from the first prediction.
std::shared_ptr<const Metric> read_first(const char* name, const char* tags) {
  return std::make_shared<const Metric>(
      name, [](const MetricInput& input) { return input.prediction[0]; }, tags);
}

/// The round after which a watch with this patience stops, and the best round.
std::pair<std::int64_t, std::int64_t> follow(const std::vector<double>& values,
                                             std::int64_t patience, const char* tags = "") {
  Watch watch({read_first("a.b.c", tags)}, patience, 100, nullptr);
  const std::vector<float> label = {0};
  std::int64_t round = 0;
  for (const double value : values) {
    watch.record("valid", {label, std::span(&value, 1)});
    if (watch.end_round(++round)) break;
  }
  return {round, watch.best_round()};
}

using Rounds = std::pair<std::int64_t, std::int64_t>;

TEST(Watch, StopsAfterSoManyRoundsWithoutABetterValue) {
  EXPECT_EQ(follow({3, 2, 2, 2.5, 1}, 2), Rounds(4, 2)) << "an equal value is no better one";
  EXPECT_EQ(follow({3, 2, 2, 1, 1, 1, 0}, 2), Rounds(6, 4));
  EXPECT_EQ(follow({3, 2, 2}, 5), Rounds(3, 2)) << "the best is kept at the end too";
  EXPECT_EQ(follow({3, 2, 4, 5, 6}, 0), Rounds(5, 5)) << "no patience, no stop";
}

TEST(Watch, LooksForTheLargestWhereMoreIsBetter) {
  EXPECT_EQ(follow({1, 2, 1, 1}, 2, "maximise"), Rounds(4, 2));
}

TEST(Watch, KeepsTheHistoryOfEverySetAndMetric) {
  Watch watch({read_first("x.one", ""), read_first("x.two", "")}, 1, 9, nullptr);
  const std::vector<float> label = {0};
  for (const double value : {5.0, 4.0}) {
    watch.record("valid", {label, std::span(&value, 1)});
    watch.record("train", {label, std::span(&value, 1)});
    EXPECT_FALSE(watch.end_round(value == 5.0 ? 1 : 2));
  }
  const auto history = watch.history();
  ASSERT_EQ(history.size(), 4U);
  EXPECT_EQ(history[0].name, "valid.one");
  EXPECT_EQ(history[3].name, "train.two");
  for (const auto& line : history) EXPECT_EQ(line.values, (std::vector<double>{5, 4}));
}

TEST(Watch, OnlyValidationDecides) {
  Watch watch({read_first("m", "")}, 1, 9, nullptr);
  const std::vector<float> label = {0};
  for (int round = 1; round <= 3; ++round) {
    const double value = round;
    watch.record("train", {label, std::span(&value, 1)});
    EXPECT_FALSE(watch.end_round(round));
  }
  EXPECT_EQ(watch.best_round(), 3);
}

struct Listener final : Observer {
  std::vector<StepDone> events;
  void on_step(const StepDone& event) override { events.push_back(event); }
};

TEST(Watch, TellsTheObserverEachRoundOnce) {
  Listener listener;
  Watch watch({read_first("m", "")}, 0, 7, &listener);
  const std::vector<float> label = {0};
  for (const double value : {5.0, 4.0}) {
    watch.record("valid", {label, std::span(&value, 1)});
    watch.end_round(value == 5.0 ? 1 : 2);
  }
  ASSERT_EQ(listener.events.size(), 2U);
  EXPECT_EQ(listener.events[1].step, 2);
  EXPECT_EQ(listener.events[1].steps, 7);
  EXPECT_EQ(listener.events[1].metrics,
            (std::vector<std::pair<std::string, double>>{{"valid.m", 4.0}}));
}

}  // namespace
}  // namespace gradatim::boost
