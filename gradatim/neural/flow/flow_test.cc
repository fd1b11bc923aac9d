// neural.flow as a model: densities, samples, codes, files, checkpoints, and what it refuses.
#include "gradatim/process/flow.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/flow/coupling.h"
#include "gradatim/neural/flow/data_map.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using process::Flow;
using process::FlowRequest;
using process::testing::code_of;
using testing::two_blobs;
using testing::two_images;

std::shared_ptr<const data::Model> fit_flow(std::vector<api::Option> options,
                                            const std::shared_ptr<const data::Samples>& samples,
                                            const std::string& resume = {}) {
  const std::vector<api::Option> small = {
      {"architecture", "nice"}, {"architecture.width", "32"}, {"architecture.layers", "2"},
      {"batch_size", "64"},     {"learning_rate", "0.01"},    {"steps", "300"}};
  options.insert(options.begin(), small.begin(), small.end());
  return data::fit_model(api::parse_settings("neural.flow", options),
                         {.seed = 4, .samples = samples, .resume = resume});
}

const Flow& flow_of(const std::shared_ptr<const data::Model>& model) {
  return dynamic_cast<const Flow&>(*model);
}

std::shared_ptr<data::Samples> unlabelled(std::shared_ptr<data::Samples> samples) {
  samples->labels.clear();
  samples->classes.clear();
  return samples;
}

std::vector<double> values_in(const data::Samples& samples) {
  return {samples.numbers.begin(), samples.numbers.end()};
}

// Whole numbers from 0 to 5, 2 and 3 more often.
std::shared_ptr<data::Samples> dice(std::int64_t count) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {1}, .count = count});
  const Philox draws(8, Stream::data);
  for (std::int64_t k = 0; k < count; ++k) {
    const auto place = static_cast<std::uint64_t>(2 * k);
    samples->numbers.push_back(
        static_cast<float>((draws.below(6, place) + 2 + draws.below(2, place + 1)) / 2));
  }
  return samples;
}

TEST(Nice, CouplingsKeepVolumes) {
  Parameters parameters;
  const FlowPlace place{Scope(parameters), {5}, 0, 1};
  const Coupling step(place, Mask::alternate, {8, 1, Activation::tanh}, additive_map());
  parameters.pack();
  parameters.init(2);
  for (const auto& item : parameters.items()) {
    const at::NoGradGuard plain;
    item.value.add_(0.3);
  }
  const at::AutoGradMode graph(true);
  const Tensor x = at::arange(5, at::kFloat).view({1, 5}).requires_grad_();
  const Moved moved = step.forward(x, {});
  EXPECT_FALSE(moved.log_det.defined());
  const Tensor jacobian = at::empty({5, 5}, at::kDouble);
  for (std::int64_t k = 0; k < 5; ++k) {
    jacobian[k].copy_(torch::autograd::grad({moved.x[0][k]}, {x}, {}, true).front()[0].detach());
  }
  EXPECT_NEAR(at::linalg_det(jacobian).item<double>(), 1.0, 1e-6);
  EXPECT_GT((jacobian - at::eye(5, at::kDouble)).abs().max().item<double>(), 0.01);
}

TEST(Coupling, PartsAreTheSameWithAndWithoutGradients) {
  for (const Mask mask : {Mask::halves, Mask::alternate}) {
    for (const std::int64_t dims : {1, 2, 5, 8}) {
      for (const std::int64_t number : {0, 1}) {
        const Parts parts(mask, dims, number);
        const Tensor x = at::arange(3 * dims, at::kFloat).view({3, dims});
        const auto [stays, moves] = parts.split(x);
        EXPECT_TRUE(at::equal(parts.join(stays, moves), x));
        const at::NoGradGuard plain;
        const auto [stays_too, moves_too] = parts.split(x);
        EXPECT_TRUE(at::equal(stays, stays_too) && at::equal(moves, moves_too));
        EXPECT_TRUE(at::equal(parts.join(stays, moves), x));
      }
    }
  }
}

TEST(DataMap, LeadsThereAndBackWithItsDeterminant) {
  const auto samples = two_blobs(50);
  for (const double margin : {0.0, 0.05}) {
    const DataMap map({.logit_margin = margin}, *samples);
    std::vector<double> x = {-1.3, 0.4}, back = {-1.3, 0.4};
    const double log_det = map.to_state(x);
    double differences = 0.0;
    for (std::size_t k = 0; k < 2; ++k) {
      std::vector<double> above = back, below = back;
      above[k] += 1e-5;
      below[k] -= 1e-5;
      map.to_state(above);
      map.to_state(below);
      differences += std::log((above[k] - below[k]) / 2e-5);
    }
    EXPECT_NEAR(log_det, differences, 1e-6);
    const auto [tensor, same] = map.states(at::tensor({-1.3F, 0.4F}).view({1, 2}));
    EXPECT_NEAR(tensor[0][1].item<double>(), x[1], 1e-5);
    EXPECT_NEAR(same[0].item<double>(), log_det, 1e-5);
    map.to_data(x);
    EXPECT_NEAR(x[0], back[0], 1e-12);
    EXPECT_NEAR(x[1], back[1], 1e-12);
  }
}

TEST(Flow, DensityIntegratesToOneAndSamplesFollowIt) {
  const auto model = fit_flow({{"base", "gaussian"}, {"steps", "150"}}, unlabelled(two_blobs(400)));
  const Flow& flow = flow_of(model);
  std::vector<double> grid;
  const double step = 0.05, from = -12.0;
  for (int i = 0; i < 480; ++i) {
    for (int j = 0; j < 480; ++j) {
      grid.push_back(from + step * (i + 0.5));
      grid.push_back(from + step * (j + 0.5));
    }
  }
  double mass = 0.0, mean = 0.0;
  const auto density = flow.log_prob(grid, {.rows = 480 * 480}).log_prob;
  for (std::size_t k = 0; k < density.size(); ++k) {
    mass += std::exp(density[k]) * step * step;
    mean += std::exp(density[k]) * step * step * grid[2 * k];
  }
  EXPECT_NEAR(mass, 1.0, 4e-3);
  const auto samples = flow.sample({.rows = 4000});
  double drawn = 0.0;
  for (std::size_t k = 0; k < samples.size(); k += 2) drawn += samples[k] / 4000.0;
  EXPECT_NEAR(drawn, mean, 0.1);
}

TEST(Flow, WholeNumbersHaveChancesThatAddUpToAtMostOne) {
  const auto model = fit_flow({{"dequantization", "uniform"}}, dice(600));
  const Flow& flow = flow_of(model);
  std::vector<double> cells;
  for (int value = -8; value < 16; ++value) cells.push_back(value);
  const auto found = flow.log_prob(cells, {.rows = 24, .draws = 200});
  double sum = 0.0;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    sum += std::exp(found.log_prob[k]);
    EXPECT_GT(found.standard_error[k], 0.0);
  }
  EXPECT_LE(sum, 1.0 + 0.02);
  EXPECT_GT(sum, 0.85);
  for (const float value : flow.sample({.rows = 50})) {
    EXPECT_EQ(value, std::floor(value));
    EXPECT_GE(value, 1.0F);
    EXPECT_LE(value, 4.0F);
  }
  const std::vector<double> some = {1.0, 4.0};
  const auto codes = flow.encode(some, {.rows = 2});
  const std::vector<double> told(codes.begin(), codes.end());
  EXPECT_EQ(flow.decode(told, {.rows = 2}), (std::vector<float>{1.0F, 4.0F}));
}

// q begins as even noise and may only come closer to the density within a cell.
TEST(Flow, LearnedNoiseBoundsChancesMoreTightly) {
  const auto samples = dice(600);
  std::vector<double> losses;
  for (const char* how : {"uniform", "variational"}) {
    const auto model = fit_flow({{"dequantization", how}, {"steps", "400"}}, samples);
    const auto loaded = data::load_model_bytes(model->bytes(), "memory");
    losses.push_back(loaded->evaluate_samples(*samples, 1)[0].second);
    const std::vector<double> cells = {0.0, 1.0, 2.0, 3.0, 4.0, 5.0};
    const auto found = flow_of(loaded).log_prob(cells, {.rows = 6, .draws = 200}).log_prob;
    double sum = 0.0;
    for (const double nats : found) sum += std::exp(nats);
    EXPECT_LE(sum, 1.02) << how;
  }
  // The entropy is that of 1 to 4 with chances 1/4, 1/4 + ...; nothing promises less.
  EXPECT_LT(losses[1], losses[0]);
  EXPECT_GT(losses[1], 1.2);
}

TEST(Flow, ABytesDensityIsInTheirUnits) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {1, 2, 2}, .count = 64});
  for (std::size_t k = 0; k < 256; ++k) {
    samples->bytes.push_back(static_cast<std::uint8_t>((k * 37) % 256));
  }
  const auto model = fit_flow({{"architecture", "maf"},
                               {"base", "logistic"},
                               {"steps", "1"},
                               {"ema_decay", "0"},
                               {"learning_rate", "1e-12"}},
                              samples);
  // MAF begins as the identity, here of (v - 128) / 128.
  const std::vector<double> image = {0.0, 10.0, 128.0, 255.0};
  double expected = 0.0;
  const Philox noise(3, Stream::probe, 0);
  for (std::size_t k = 0; k < 4; ++k) {
    const double z = (image[k] + noise.uniform(k) - 128.0) / 128.0;
    expected += -std::log1p(std::exp(z)) - std::log1p(std::exp(-z)) - std::log(128.0);
  }
  EXPECT_NEAR(flow_of(model).log_prob(image, {.rows = 1, .seed = 3}).log_prob[0], expected, 1e-4);
}

TEST(Flow, LabelsAreLearnedAndAddedOver) {
  const auto samples = two_blobs(400);
  const auto model = fit_flow({{"base", "gaussian"}}, samples);
  const Flow& flow = flow_of(model);
  const auto x = values_in(*samples);
  const auto rows = samples->count;
  const auto left = flow.log_prob(x, {.rows = rows, .labels = {0}}).log_prob;
  const auto right = flow.log_prob(x, {.rows = rows, .labels = {1}}).log_prob;
  const auto any = flow.log_prob(x, {.rows = rows}).log_prob;
  for (std::size_t k = 0; k < any.size(); ++k) {
    EXPECT_NEAR(any[k], std::log(0.5 * std::exp(left[k]) + 0.5 * std::exp(right[k])), 1e-4);
    EXPECT_GT(k % 2 == 0 ? left[k] - right[k] : right[k] - left[k], 1.0);
  }
  const auto drawn = flow.sample({.rows = 200, .labels = {1}});
  double mean = 0.0;
  for (std::size_t k = 0; k < drawn.size(); k += 2) mean += drawn[k] / 200.0;
  EXPECT_NEAR(mean, 2.0, 0.3);
  EXPECT_EQ(code_of([&] { flow.encode(x, {.rows = rows}); }), 1104);
}

// Labels that mean nothing say nothing of where a sample lies.
TEST(Flow, LabelsAndComponentsAreDrawnApart) {
  const auto samples = unlabelled(two_blobs(400));
  samples->classes = {"a", "b"};
  for (std::int64_t k = 0; k < 400; ++k) samples->labels.push_back(k / 2 % 2);
  const auto model = fit_flow({{"base", "mixture"}, {"base.components", "2"}}, samples);
  const auto drawn = flow_of(model).sample({.rows = 2000, .seed = 2});
  const Philox labels(2, Stream::component, 1);
  double right[2] = {}, count[2] = {};
  for (std::size_t k = 0; k < 2000; ++k) {
    const std::size_t label = labels.uniform(k) < 0.5 ? 0 : 1;
    count[label] += 1.0;
    right[label] += drawn[2 * k] > 0.0F ? 1.0 : 0.0;
  }
  EXPECT_NEAR(right[0] / count[0], right[1] / count[1], 0.15);
}

TEST(Flow, InpaintsRowsThatThreadsTakeApart) {
  const auto samples = unlabelled(two_blobs(900));
  const auto model = fit_flow({{"steps", "20"}}, samples);
  const auto x = values_in(*samples);
  std::vector<std::uint8_t> known(x.size(), 1);
  for (std::size_t k = 1; k < known.size(); k += 2) known[k] = 0;
  const process::FlowRequest request{.rows = 900, .seed = 1};
  const auto all = flow_of(model).inpaint(x, known, 5, request);
  for (int k = 0; k < 3; ++k) EXPECT_EQ(flow_of(model).inpaint(x, known, 5, request), all);
  for (std::size_t k = 0; k < x.size(); k += 2) EXPECT_EQ(all[k], static_cast<float>(x[k]));
}

TEST(Flow, AColumnThatIsConstantTellsNothing) {
  auto samples = std::make_shared<data::Samples>(*unlabelled(two_blobs(300)));
  samples->given_columns = {"always"};
  samples->given.assign(300, 0.1F);
  const auto model = fit_flow({{"steps", "30"}}, samples);
  const std::vector<double> x = {0.0, 0.0};
  const auto near = flow_of(model).log_prob(x, {.rows = 1, .given = {double{0.1F}}}).log_prob[0];
  EXPECT_NEAR(flow_of(model).log_prob(x, {.rows = 1, .given = {0.1}}).log_prob[0], near, 1e-4);
}

TEST(Flow, WhatSamplesAreGivenMovesThem) {
  auto samples = unlabelled(two_blobs(400));
  samples->columns = {"a", "b"};
  const auto given = std::make_shared<data::Samples>(data::give_columns(*samples, {"b"}));
  ASSERT_EQ(given->shape, std::vector<std::int64_t>{1});
  const auto model = fit_flow({}, given);
  const Flow& flow = flow_of(model);
  const std::vector<double> x = {-2.0, -2.0};
  const auto found = flow.log_prob(x, {.rows = 2, .given = {0.0, 1.0}}).log_prob;
  EXPECT_GT(found[0] - found[1], 1.0);
  EXPECT_EQ(code_of([&] { flow.log_prob(x, {.rows = 2}); }), 1192);
  EXPECT_EQ(code_of([&] { data::give_columns(*samples, {"c"}); }), 1192);
  EXPECT_EQ(code_of([&] { data::give_columns(*samples, {"a", "b"}); }), 1192);
}

TEST(Flow, ARowDoesNotDependOnHowManyAreAskedFor) {
  const auto samples = unlabelled(two_blobs(700));
  const auto model = fit_flow({{"steps", "20"}}, samples);
  const Flow& flow = flow_of(model);
  const auto all = flow.sample({.rows = 700, .seed = 1});
  const auto few = flow.sample({.rows = 3, .seed = 1});
  EXPECT_TRUE(std::equal(few.begin(), few.end(), all.begin()));
  const auto part = flow.sample({.rows = 700, .seed = 1, .only = process::RowRange{300, 200}});
  EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + 600));
  const auto many = flow.sample({.rows = 5000, .seed = 1});
  EXPECT_TRUE(std::equal(all.begin(), all.end(), many.begin()));
  const auto late = flow.sample({.rows = 5000, .seed = 1, .only = process::RowRange{4000, 700}});
  EXPECT_TRUE(std::equal(late.begin(), late.end(), many.begin() + 8000));
  const auto x = values_in(*samples);
  const auto density = flow.log_prob(x, {.rows = 700}).log_prob;
  const auto one = flow.log_prob(std::span(x).subspan(2, 2), {.rows = 1}).log_prob;
  EXPECT_EQ(one[0], density[1]);
  // At temperature 0 all rows are the middle of the base.
  const auto cold = flow.sample({.rows = 2, .temperature = 0.0});
  EXPECT_EQ(cold[0], cold[2]);
}

TEST(Flow, AFileKeepsItAndACheckpointLeadsToTheSame) {
  const auto samples = two_blobs(300);
  const std::vector<api::Option> whole = {{"steps", "60"}, {"base", "mixture"}};
  const auto model = fit_flow(whole, samples);
  const auto loaded = data::load_model_bytes(model->bytes(), "memory");
  const auto x = values_in(*samples);
  const auto here = flow_of(model).log_prob(x, {.rows = 300}).log_prob;
  const auto there = flow_of(loaded).log_prob(x, {.rows = 300}).log_prob;
  for (std::size_t k = 0; k < here.size(); ++k) EXPECT_NEAR(here[k], there[k], 1e-5);
  EXPECT_EQ(loaded->bytes(), model->bytes());

  class Stop final : public Observer {
   public:
    void on_step(const StepDone& event) override {
      if (event.step == 25) throw std::runtime_error("stop");
    }
  } stop;
  const testing::Folder folder("flow");
  std::vector<api::Option> options = {{"architecture", "nice"},
                                      {"architecture.width", "32"},
                                      {"architecture.layers", "2"},
                                      {"batch_size", "64"},
                                      {"learning_rate", "0.01"}};
  options.insert(options.end(), whole.begin(), whole.end());
  data::FitRequest request{.seed = 4, .observer = &stop, .samples = samples};
  request.resume = folder.path();
  const auto settings = api::parse_settings("neural.flow", options);
  EXPECT_THROW(data::fit_model(settings, request), std::runtime_error);
  request.observer = nullptr;
  EXPECT_EQ(data::fit_model(settings, request)->bytes(), model->bytes());
}

TEST(Flow, ImagesAreLearnedAsRows) {
  const auto samples = two_images(200);
  const auto model = fit_flow({{"steps", "300"}}, samples);
  const auto metrics = model->evaluate_samples(*samples, 0);
  EXPECT_EQ(metrics[0].first, "loss");
  const auto before = fit_flow({{"steps", "1"}}, samples)->evaluate_samples(*samples, 0);
  EXPECT_LT(metrics[0].second, before[0].second - 5.0);
  EXPECT_NEAR(metrics[2].second, metrics[0].second / 16.0 / std::log(2.0), 1e-9);
  EXPECT_GT(metrics[1].second, 0.0);
}

TEST(Flow, RefusesWhatItCannotLearnOrSay) {
  const auto blobs = unlabelled(two_blobs(64));
  EXPECT_EQ(code_of([&] { fit_flow({{"dequantization", "uniform"}}, blobs); }), 2094);
  EXPECT_EQ(code_of([&] { fit_flow({{"precision", "bfloat16"}}, blobs); }), 1180);
  EXPECT_EQ(code_of([&] {
              fit_flow({{"logit_margin", "0.1"}, {"scaling", "standard"}}, blobs);
            }),
            1161);
  const auto logit = fit_flow({{"steps", "5"}, {"logit_margin", "0.01"}}, blobs);
  const std::vector<double> far = {40.0, 0.0};
  EXPECT_EQ(code_of([&] { flow_of(logit).log_prob(far, {.rows = 1}); }), 2095);
  const auto plain = fit_flow({{"steps", "5"}}, blobs);
  const std::vector<double> beyond = {1e39, 0.0}, large = {3e38, 3e38};
  EXPECT_EQ(code_of([&] { flow_of(plain).decode(beyond, {.rows = 1}); }), 4032);
  EXPECT_EQ(code_of([&] { flow_of(plain).log_prob(large, {.rows = 1}); }), 4032);
  EXPECT_EQ(code_of([&] { flow_of(plain).sample({.rows = 2, .given = {1.0}}); }), 1192);
  EXPECT_EQ(code_of([&] { plain->evaluate_samples(*two_images(4), 0); }), 2090);
}

}  // namespace
}  // namespace gradatim::neural
