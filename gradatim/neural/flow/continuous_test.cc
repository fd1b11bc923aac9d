// neural.continuous_flow: gradients against the whole graph, and a model as a whole, on data so
// easy that a small network does.
#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/flow/continuous_gradient.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/generate.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using namespace testing;
using process::testing::code_of;

constexpr RungeKutta kMethods[] = {RungeKutta::midpoint, RungeKutta::heun, RungeKutta::rk4,
                                   RungeKutta::dopri5};

// A network for rows of three numbers and the flow through it.
struct Toy {
  explicit Toy(std::int64_t probes = 0)
      : net(make_net(*make<Network>("neural.network.mlp",
                                    {{"width", "8"}, {"layers", "2"}, {"time_input", "plain"}}),
                     {.sample = {3}, .classes = 2, .time_scale = 1000.0, .seed = 3})),
        flow{.net = *net, .sample = {3}, .kinetic = 0.3, .jacobian = 0.2} {
    at::manual_seed(5);
    net->parameters().require_gradients(true);
    x = at::randn({6, 3});
    flow.labels = at::randint(3, {6}, at::kLong);
    flow.directions = probes == 0 ? at::eye(3).unsqueeze(1) : at::randn({probes, 6, 3}).sign();
    flow.share = probes == 0 ? 1.0 : 1.0 / static_cast<double>(probes);
  }

  static Tensor flat(const FlowGradients& found) {
    std::vector<Tensor> all;
    for (const Tensor& part : found.parameters) all.push_back(part.reshape({-1}));
    all.push_back(found.data.reshape({-1}));
    return at::cat(all);
  }
  // By one graph of all steps.
  FlowGradients whole(RungeKutta method, std::int64_t steps) {
    const at::AutoGradMode graph(true);
    const Tensor start = x.clone().requires_grad_();
    Tensor state = start, loss = at::zeros({});
    const double h = 1.0 / static_cast<double>(steps);
    for (std::int64_t k = 0; k < steps; ++k) {
      const auto [to, cost] = step(flow, tableau_of(method), state, static_cast<double>(k) * h, h);
      state = to;
      loss = loss + cost;
    }
    loss = loss + 0.5 * (state.square() + std::log(2.0 * std::numbers::pi)).sum();
    std::vector<Tensor> inputs;
    for (const auto& item : net->parameters().items()) inputs.push_back(item.value);
    inputs.push_back(start);
    FlowGradients found{.loss = loss.item<double>()};
    found.parameters = torch::autograd::grad({loss}, inputs);
    found.data = found.parameters.back();
    found.parameters.pop_back();
    return found;
  }

  std::unique_ptr<Net> net;
  FlowPass flow;
  Tensor x;
};

double largest(const Tensor& x) { return x.abs().max().item<double>(); }

TEST(ContinuousGradient, OfCheckpointsIsThatOfTheWholeGraph) {
  for (const std::int64_t probes : {0, 2}) {
    for (const RungeKutta method : kMethods) {
      Toy toy(probes);
      const auto whole = toy.whole(method, 4);
      const auto found = checkpointed_gradients(toy.flow, tableau_of(method), 4, toy.x);
      EXPECT_NEAR(found.loss, whole.loss, 1e-4);
      const Tensor expected = Toy::flat(whole);
      EXPECT_GT(largest(expected), 0.1);
      EXPECT_LT(largest(Toy::flat(found) - expected), 1e-5 * largest(expected));
      EXPECT_EQ(largest(toy.net->parameters().gradients()), 0.0) << "they are the caller's to add";
    }
  }
}

TEST(ContinuousGradient, OfTheAdjointComesNearWithItsSteps) {
  for (const RungeKutta method : kMethods) {
    Toy toy;
    const auto error = [&](std::int64_t steps) {
      const Tensor expected = Toy::flat(toy.whole(method, steps));
      const auto found = adjoint_gradients(toy.flow, tableau_of(method), steps, toy.x);
      return largest(Toy::flat(found) - expected) / largest(expected);
    };
    EXPECT_LT(error(16), 1e-2);
    EXPECT_LT(error(32), 3e-3);
  }
}

TEST(ContinuousGradient, MethodsAreOfTheirOrder) {
  const std::vector<double> orders = {2.0, 2.0, 4.0, 5.0};
  for (std::size_t k = 0; k < 4; ++k) {
    // The conditions of order on the tableau: rows add up to places, weights integrate powers.
    const Tableau method = tableau_of(kMethods[k]);
    std::vector<double> sums(5, 0.0);
    for (std::size_t i = 0; i < 6; ++i) {
      double row = 0.0;
      for (const double a : method.inner[i]) row += a;
      EXPECT_NEAR(row, method.place[i], 1e-12);
      for (std::size_t p = 0; p < 5; ++p)
        sums[p] += method.weight[i] * std::pow(method.place[i], static_cast<double>(p));
    }
    for (std::size_t p = 0; p < static_cast<std::size_t>(orders[k]); ++p)
      EXPECT_NEAR(sums[p], 1.0 / static_cast<double>(p + 1), 1e-12);
  }
}

// Two normal distributions, whose density is known.
process::Mixture two_modes() {
  return {.weights = {0.4, 0.6},
          .means = {-1.2, 0.5, 1.0, -0.4},
          .deviations = {0.5, 0.7, 0.6, 0.4},
          .dims = 2};
}

std::shared_ptr<data::Samples> drawn(std::int64_t count, std::uint64_t seed) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {2}, .count = count});
  std::vector<double> numbers(static_cast<std::size_t>(2 * count));
  process::draw(two_modes(), seed, 0, process::kAnyLabel, numbers);
  samples->numbers.assign(numbers.begin(), numbers.end());
  return samples;
}

std::vector<double> numbers_of(const data::Samples& samples) {
  return {samples.numbers.begin(), samples.numbers.end()};
}

std::vector<double> true_nats(const data::Samples& samples) {
  const process::MixtureField field(two_modes(), make<process::Path>("process.path.rectified"),
                                    make<process::Prediction>("process.prediction.v"));
  std::vector<double> nats(static_cast<std::size_t>(samples.count));
  field.log_prob(*make<process::Path>("process.path.rectified"), numbers_of(samples), 0.0, nats);
  return nats;
}

api::Settings settings_with(std::vector<api::Option> more) {
  std::vector<api::Option> options = {{"network", "mlp"},
                                      {"network.width", "32"},
                                      {"network.layers", "2"},
                                      {"network.activation", "tanh"},
                                      {"network.time_input", "plain"},
                                      {"batch_size", "256"},
                                      {"steps", "150"},
                                      {"ema_decay", "0.95"},
                                      {"learning_rate", "0.01"},
                                      {"solver", "midpoint"},
                                      {"warmup_steps", "10"}};
  options.insert(options.end(), more.begin(), more.end());
  return settings_of(options, "neural.continuous_flow");
}

std::shared_ptr<const data::Model> fitted_flow(std::vector<api::Option> more = {},
                                               std::shared_ptr<data::Samples> samples = nullptr) {
  if (samples == nullptr) samples = drawn(4000, 1);
  return data::fit_model(settings_with(std::move(more)), {.seed = 1, .samples = samples});
}

const process::Generator& generator_of(const data::Model& model) {
  return dynamic_cast<const process::Generator&>(model);
}

std::vector<double> nats_of(const data::Model& model, const data::Samples& samples,
                            const std::vector<std::int64_t>& labels = {}) {
  const auto& generator = generator_of(model);
  return process::log_prob(generator, generator.sampler(), numbers_of(samples), labels,
                           {.ode = {.atol = 1e-5, .rtol = 1e-5}})
      .log_prob;
}

double mean_nats(const std::vector<double>& numbers) {
  double sum = 0.0;
  for (const double x : numbers) sum += x / static_cast<double>(numbers.size());
  return sum;
}

TEST(ContinuousFlow, ByEitherObjectiveItsDensityIsNearTheTruth) {
  const auto test = drawn(300, 2);
  const double expected = mean_nats(true_nats(*test));
  const std::vector<std::vector<api::Option>> ways = {
      {},
      {{"gradient", "adjoint"}},
      {{"trace", "hutchinson"}, {"probes", "2"}, {"kinetic_weight", "0.01"}},
      {{"objective", "flow_matching"}, {"steps", "1500"}},
  };
  for (const auto& way : ways) {
    SCOPED_TRACE(way.empty() ? "" : way[0].second);
    const auto model = fitted_flow(way);
    EXPECT_NEAR(mean_nats(nats_of(*model, *test)), expected, 0.05);
    const auto metrics = model->evaluate_samples(*test, 3);
    EXPECT_EQ(metrics[0].first, "loss");
    EXPECT_NEAR(metrics[0].second, -expected, 0.1);
    EXPECT_EQ(metrics.size(), way.size() > 2 ? 2U : 1U) << "an estimated trace has an error";
  }
}

TEST(ContinuousFlow, TheLossOfTrainingIsTheDensitysOfTheSamples) {
  const auto samples = drawn(256, 1);
  const auto model =
      fitted_flow({{"steps", "1"}, {"learning_rate", "1e-9"}, {"solver", "rk4"}}, samples);
  EXPECT_NEAR(model->card().history[0].values[0], -mean_nats(nats_of(*model, *samples)), 1e-3);
}

TEST(ContinuousFlow, SamplesFollowTheDensityWhateverSolverMakesThem) {
  const auto model = fitted_flow();
  const auto& generator = generator_of(*model);
  const auto exact = process::generate(generator, generator.sampler(), {.rows = 64, .seed = 4});
  for (const char* solver : {"heun", "dpm_solver_pp_2m", "uni_pc"}) {
    const auto how = process::sampler_for(
        generator,
        api::parse_settings("process.sampler",
                            std::vector<api::Option>{{"solver", solver}, {"steps", "80"}}));
    const auto made = process::generate(generator, how, {.rows = 64, .seed = 4});
    for (std::size_t k = 0; k < made.size(); ++k) EXPECT_NEAR(made[k], exact[k], 0.02) << solver;
  }
  const auto noisy = process::sampler_for(
      generator,
      api::parse_settings("process.sampler", std::vector<api::Option>{{"solver", "ddpm"}}));
  EXPECT_EQ(code_of([&] { process::generate(generator, noisy, {.rows = 2}); }), 1189);
}

TEST(ContinuousFlow, EncodedDataReturnAndLookLikeNoise) {
  const auto model = fitted_flow();
  const auto& generator = generator_of(*model);
  const auto test = drawn(300, 2);
  const process::OdeOptions tight{.atol = 1e-6, .rtol = 1e-6};
  const auto noise = process::encode(generator, generator.sampler(), numbers_of(*test), {}, tight);
  double squares = 0.0;
  for (const double z : noise) squares += z * z / static_cast<double>(noise.size());
  EXPECT_NEAR(squares, 1.0, 0.2);
  const auto data = process::decode(generator, generator.sampler(), noise, {}, tight);
  for (std::size_t k = 0; k < data.size(); ++k) EXPECT_NEAR(data[k], test->numbers[k], 1e-4);
}

TEST(ContinuousFlow, ALabelHasItsOwnDensity) {
  const auto samples = two_blobs(500);
  for (const char* objective : {"likelihood", "flow_matching"}) {
    const auto model =
        fitted_flow({{"objective", objective}, {"steps", "120"}, {"drop_label", "0.3"}}, samples);
    const auto few = two_blobs(40);
    std::vector<std::int64_t> wrong;
    for (const std::int64_t label : few->labels) wrong.push_back(1 - label);
    const double own = mean_nats(nats_of(*model, *few, few->labels));
    EXPECT_GT(own, mean_nats(nats_of(*model, *few)) + 0.2) << objective;
    EXPECT_GT(own, mean_nats(nats_of(*model, *few, wrong)) + 2.0) << objective;
    EXPECT_NEAR(model->evaluate_samples(*few, 0)[0].second, -own, 1e-3);
  }
}

TEST(ContinuousFlow, SavedAndLoadedItIsTheSame) {
  for (const char* objective : {"likelihood", "flow_matching"}) {
    const auto model = fitted_flow({{"objective", objective}, {"steps", "5"}}, two_blobs(100));
    const std::string bytes = model->bytes();
    const auto again = data::load_model_bytes(bytes, "memory");
    EXPECT_EQ(again->bytes(), bytes);
    EXPECT_EQ(nats_of(*again, *two_blobs(9)), nats_of(*model, *two_blobs(9)));
    EXPECT_EQ(generator_of(*again).field()->independent_noise(),
              objective == std::string_view("flow_matching"));
  }
}

TEST(ContinuousFlow, WithoutANetworkItTakesOneThatSuits) {
  const auto model =
      data::fit_model(settings_of({{"steps", "1"}, {"batch_size", "8"}}, "neural.continuous_flow"),
                      {.samples = two_blobs(20)});
  const auto& network = model->card().settings.parts.at("network");
  EXPECT_EQ(network.component, "neural.network.mlp");
  EXPECT_EQ(std::get<std::string>(network.values.at("time_input")), "plain");
}

TEST(ContinuousFlow, AFitThatWasCutOffEndsInTheSameBytes) {
  struct Stop final : Observer {
    explicit Stop(std::int64_t step) : last(step) {}
    void on_step(const StepDone& done) override {
      if (done.step == last) request_interrupt();
    }
    std::int64_t last;
  };
  for (const std::vector<api::Option>& way :
       {std::vector<api::Option>{{"steps", "12"}},
        {{"steps", "12"}, {"trace", "hutchinson"}, {"accumulate", "2"}}}) {
    const auto settings = settings_with(way);
    const auto request = [&] { return data::FitRequest{.seed = 3, .samples = two_blobs(200)}; };
    const std::string whole = data::fit_model(settings, request())->bytes();
    const Folder folder("continuous");
    Stop stop(7);
    auto cut = request();
    cut.resume = folder.path();
    cut.observer = &stop;
    EXPECT_THROW(data::fit_model(settings, cut), Interrupted);
    clear_interrupt();
    cut.observer = nullptr;
    EXPECT_EQ(data::fit_model(settings, cut)->bytes(), whole);
    const ThreadScope threads(1);
    EXPECT_EQ(data::fit_model(settings, request())->bytes(), whole);
  }
}

TEST(ContinuousFlow, ImagesLearnThroughAUNet) {
  for (const char* objective : {"likelihood", "flow_matching"}) {
    const auto settings = settings_of({{"network", "unet"},
                                       {"network.channels", "8"},
                                       {"network.norm_groups", "4"},
                                       {"network.head_width", "8"},
                                       {"network.attention", "-1"},
                                       {"batch_size", "8"},
                                       {"steps", "3"},
                                       {"solver", "midpoint"},
                                       {"solver_steps", "2"},
                                       {"objective", objective}},
                                      "neural.continuous_flow");
    const auto model = data::fit_model(settings, {.samples = two_images(16)});
    const auto metrics = model->evaluate_samples(*two_images(4), 0);
    ASSERT_EQ(metrics.size(), 2U);
    EXPECT_TRUE(std::isfinite(metrics[0].second));
  }
}

// Bytes of 0 to 3, evenly: a flow that saw them alone would have a density without bound.
TEST(ContinuousFlow, BytesAreLearnedAsAllThatRoundsToThem) {
  auto dice = std::make_shared<data::Samples>(data::Samples{.shape = {1, 1, 2}, .count = 1000});
  const Philox draws(8, Stream::data);
  for (std::uint64_t k = 0; k < 2000; ++k) {
    dice->bytes.push_back(static_cast<std::uint8_t>(draws.below(4, k)));
  }
  const auto model = fitted_flow({{"steps", "200"}, {"scaling", "standard"}}, dice);
  const double nats = model->evaluate_samples(*dice, 0)[0].second;
  EXPECT_GT(nats, 2.0 * std::log(4.0) - 0.02);
  EXPECT_LT(nats, 2.0 * std::log(4.0) + 0.3);
}

TEST(ContinuousFlow, WhatItCannotLearnFromIsOneLine) {
  const auto code = [](const std::vector<api::Option>& more, data::FitRequest request = {}) {
    if (request.samples == nullptr) request.samples = two_blobs(20);
    auto options = more;
    options.insert(options.end(), {{"steps", "1"}, {"batch_size", "4"}});
    return code_of([&] {
      try {
        data::fit_model(settings_of(options, "neural.continuous_flow"), request);
      } catch (const Error& error) {
        EXPECT_EQ(error.message().find('\n'), std::string::npos);
        throw;
      }
    });
  };
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({{"coupling", "optimal_transport"}}), 1190);
  EXPECT_EQ(code({{"coupling", "optimal_transport"}, {"objective", "flow_matching"}}), 0);
  EXPECT_EQ(code({{"pair_steps", "2"}}), 1190);
  EXPECT_EQ(code({{"precision", "bfloat16"}}), 1190);
  EXPECT_EQ(code({{"kinetic_weight", "0.1"}, {"objective", "flow_matching"}}), 1190);
  EXPECT_EQ(code({}, {.source = two_blobs(20)}), 1190);
  EXPECT_EQ(code({{"flip", "true"}}), 1161);
  EXPECT_EQ(code({{"sample_every", "1"}}), 1181);
}

TEST(ContinuousFlow, OneThatLeavesTheFiniteNumbersSaysWhatHelps) {
  const auto settings = settings_with({{"learning_rate", "1e30"},
                                       {"gradient_clip", "0"},
                                       {"warmup_steps", "0"},
                                       {"network.activation", "relu"},
                                       {"steps", "5"}});
  try {
    data::fit_model(settings, {.samples = two_blobs(20)});
    FAIL();
  } catch (const NumericError& error) {
    EXPECT_EQ(error.code(), 4030);
    EXPECT_NE(error.message().find("solver_steps"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace gradatim::neural
