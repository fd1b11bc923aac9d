#include "gradatim/neural/train/batches.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "gradatim/api/settings.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/testing.h"
#include "gradatim/neural/train/optimizer.h"

namespace gradatim::neural {
namespace {

using namespace testing;

TEST(Order, EveryEpochHasEverySampleOnce) {
  Order order(10, true, 3, Stream::order);
  std::set<std::vector<std::int64_t>> orders;
  for (std::int64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<std::int64_t> seen;
    for (std::int64_t k = 0; k < 10; ++k) seen.push_back(order.at(epoch * 10 + k));
    EXPECT_EQ(std::set<std::int64_t>(seen.begin(), seen.end()).size(), 10U);
    orders.insert(seen);
  }
  EXPECT_EQ(orders.size(), 5U);
}

TEST(Order, UnshuffledSamplesComeInTheirOwn) {
  Order order(10, false, 3, Stream::order);
  for (std::int64_t k = 0; k < 25; ++k) EXPECT_EQ(order.at(k), k % 10);
}

TEST(Batches, AStepIsAPureFunctionOfItsNumber) {
  const Plan plan(std::vector<api::Option>{{"pair_steps", "3"}, {"coupling", "optimal_transport"}});
  const auto samples = two_blobs(50);
  Batches in_order(batch_plan(plan.diffusion), {}, {.samples = samples, .rows = 8, .seed = 5});
  std::vector<Batch> all;
  for (std::int64_t step = 0; step < 9; ++step) all.push_back(in_order.at(step));
  Batches alone(batch_plan(plan.diffusion), {}, {.samples = samples, .rows = 8, .seed = 5});
  for (const std::int64_t step : {7, 2, 5}) {
    const Batch batch = alone.at(step);
    const Batch& same = all[static_cast<std::size_t>(step)];
    EXPECT_EQ(batch.x, same.x);
    EXPECT_EQ(batch.target, same.target);
    EXPECT_EQ(batch.t, same.t);
    EXPECT_EQ(batch.labels, same.labels);
  }
}

TEST(Batches, StateAndTargetAgreeOnTheData) {
  // On the rectified path the velocity is noise - data and x = (1 - t) data + t noise.
  const Plan plan(std::vector<api::Option>{{"drop_label", "0"}});
  const auto samples = two_blobs(64);
  Batches batches(batch_plan(plan.diffusion), {}, {.samples = samples, .rows = 32, .seed = 1});
  const Batch batch = batches.at(0);
  for (std::size_t row = 0; row < 32; ++row) {
    const double x = batch.x[2 * row] - batch.t[row] * batch.target[2 * row];
    const double centre = batch.labels[row] == 0 ? -2.0 : 2.0;
    EXPECT_NEAR(x, centre, 0.5) << "the data of label " << batch.labels[row];
  }
}

TEST(Batches, DroppedLabelsAreAnything) {
  const Plan plan(std::vector<api::Option>{{"drop_label", "0.25"}});
  Batches batches(batch_plan(plan.diffusion), {},
                  {.samples = two_blobs(64), .rows = 4000, .seed = 1});
  const Batch batch = batches.at(0);
  const auto dropped = std::ranges::count(batch.labels, 2);
  EXPECT_NEAR(static_cast<double>(dropped), 1000.0, 5.0 * std::sqrt(4000 * 0.25 * 0.75));
}

TEST(Scale, StandardRowsComeBack) {
  const auto samples = two_blobs(100);
  const Scale scale(Scaling::standard, *samples);
  std::vector<float> row(2);
  double sum = 0.0, squares = 0.0;
  for (std::int64_t k = 0; k < samples->count; ++k) {
    scale.row(*samples, k, row);
    sum += row[0];
    squares += row[0] * row[0];
    scale.to_data(row);
    EXPECT_NEAR(row[0], samples->numbers[static_cast<std::size_t>(2 * k)], 1e-5);
  }
  EXPECT_NEAR(sum / 100, 0.0, 1e-6);
  EXPECT_NEAR(squares / 100, 1.0, 1e-5);
}

TEST(Training, TheRateGrowsThenFallsToNothing) {
  const TrainingConfig config{.steps = 1000, .learning_rate = 2.0, .warmup_steps = 10};
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 0), 0.2);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 9), 2.0);
  EXPECT_DOUBLE_EQ(learning_rate_at(config, 505), 1.0);
  EXPECT_NEAR(learning_rate_at(config, 1000), 0.0, 1e-12);
  EXPECT_LT(ema_decay_at(config, 0), 0.11);
  EXPECT_DOUBLE_EQ(ema_decay_at(config, 1000000), config.ema_decay);
}

}  // namespace
}  // namespace gradatim::neural
