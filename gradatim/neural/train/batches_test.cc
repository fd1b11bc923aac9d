#include "gradatim/neural/train/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "gradatim/api/settings.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/testing.h"
#include "gradatim/neural/train/optimizer.h"
#include "gradatim/process/testing.h"

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

// The noise and the data of a batch on the rectified path, where x = (1 - t) data + t noise and the
// velocity is noise - data.
struct Ends {
  std::vector<double> noise, data;
  std::vector<std::int64_t> labels;
};

Ends ends_of(const std::string& coupling) {
  const Plan plan(std::vector<api::Option>{{"drop_label", "0"}, {"coupling", coupling}});
  Batches batches(batch_plan(plan.diffusion), {},
                  {.samples = two_blobs(64), .rows = 12, .seed = 2});
  const Batch batch = batches.at(0);
  Ends ends{.labels = batch.labels};
  for (std::size_t k = 0; k < batch.x.size(); ++k) {
    const double t = batch.t[k / 2], velocity = batch.target[k];
    ends.data.push_back(batch.x[k] - t * velocity);
    ends.noise.push_back(batch.x[k] + (1.0 - t) * velocity);
  }
  return ends;
}

// The sum of squared distances of noise rows to the data rows that follow in `partner`.
double cost(const Ends& ends, const std::vector<std::size_t>& rows,
            const std::vector<std::size_t>& partner) {
  double sum = 0.0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    for (std::size_t c = 0; c < 2; ++c) {
      sum += std::pow(ends.noise[2 * rows[k] + c] - ends.data[2 * partner[k] + c], 2.0);
    }
  }
  return sum;
}

TEST(Batches, AConditionalCouplingPairsBestWithinTheLabelsOfTraining) {
  const Ends drawn = ends_of("independent"), paired = ends_of("conditional_optimal_transport");
  EXPECT_EQ(paired.labels, drawn.labels);  // of each noise
  EXPECT_NE(ends_of("optimal_transport").labels, drawn.labels);
  for (std::size_t k = 0; k < drawn.noise.size(); ++k) {
    EXPECT_NEAR(paired.noise[k], drawn.noise[k], 1e-5);
  }
  for (const std::int64_t label : {0, 1}) {
    std::vector<std::size_t> rows;
    for (std::size_t k = 0; k < drawn.labels.size(); ++k) {
      if (drawn.labels[k] == label) rows.push_back(k);
    }
    ASSERT_GE(rows.size(), 3U);
    ASSERT_LE(rows.size(), 9U);  // every permutation is tried
    auto partner = rows;
    double least = cost(drawn, rows, rows);
    while (std::next_permutation(partner.begin(), partner.end())) {
      least = std::min(least, cost(drawn, rows, partner));
    }
    EXPECT_NEAR(cost(paired, rows, rows), least, 1e-4);
    EXPECT_GT(cost(drawn, rows, rows), least + 0.1) << "there is something to pair";
  }
}

TEST(Batches, ACouplingByLabelsRefusesSamplesWithoutThem) {
  auto samples = two_blobs(64);
  samples->labels.clear();
  samples->classes.clear();
  const Plan plan(std::vector<api::Option>{{"coupling", "conditional_optimal_transport"}});
  Batches batches(batch_plan(plan.diffusion), {}, {.samples = samples, .rows = 12, .seed = 2});
  EXPECT_EQ(process::testing::code_of([&] { batches.at(0); }), 1156);
}

TEST(Scale, OfADamagedFileIsRefused) {
  const auto code = [](const std::vector<double>& shift, const std::vector<double>& factor) {
    SafetensorsWriter writer;
    writer.add("scale.shift", std::span(shift));
    writer.add("scale.factor", std::span(factor));
    const std::string bytes = writer.bytes();
    return process::testing::code_of([&] { Scale::load(SafetensorsFile(bytes, "memory"), 2); });
  };
  EXPECT_EQ(code({0.0}, {1.0}), 0);
  EXPECT_EQ(code({0.0, 1.0}, {1.0, 0.5}), 0);
  EXPECT_EQ(code({0.0, 1.0, 2.0}, {1.0, 1.0, 1.0}), 3067);
  EXPECT_EQ(code({0.0}, {1.0, 1.0}), 3067);
  EXPECT_EQ(code({0.0}, {0.0}), 3067);
  EXPECT_EQ(code({NAN}, {1.0}), 3067);
  EXPECT_EQ(code({0.0, 1.0}, {1.0, INFINITY}), 3067);
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
