#include "gradatim/neural/train/loop.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "gradatim/core/error.h"
#include "gradatim/core/observer.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/diffusion/diffusion_loss.h"
#include "gradatim/neural/diffusion/diffusion_model.h"
#include "gradatim/neural/testing.h"
#include "gradatim/neural/train/optimizer.h"
#include "gradatim/process/generate.h"

namespace gradatim::neural {
namespace {

using namespace testing;

std::vector<api::Option> options(const std::string& steps = "40") {
  return {{"network", "mlp"}, {"network.width", "16"}, {"batch_size", "32"}, {"steps", steps}};
}

// Asks for an end after so many steps.
class Stop final : public Observer {
 public:
  explicit Stop(std::int64_t step) : step_(step) {}
  void on_step(const StepDone& event) override {
    if (event.step == step_) request_interrupt();
  }

 private:
  std::int64_t step_;
};

data::FitRequest request() { return {.seed = 3, .samples = two_blobs(200)}; }

TEST(Loop, AFitThatWasCutOffEndsInTheSameBytes) {
  const auto settings = settings_of(options());
  const std::string whole = data::fit_model(settings, request())->bytes();
  const Folder folder;
  for (const std::int64_t step : {7, 19, 31}) {
    Stop stop(step);
    auto cut = request();
    cut.resume = folder.path();
    cut.observer = &stop;
    EXPECT_THROW(data::fit_model(settings, cut), Interrupted);
    clear_interrupt();
  }
  auto last = request();
  last.resume = folder.path();
  EXPECT_EQ(data::fit_model(settings, last)->bytes(), whole);
}

TEST(Loop, ACheckpointOfAnotherFitIsRefused) {
  const Folder folder;
  auto first = request();
  first.resume = folder.path();
  data::fit_model(settings_of(options()), first);
  const auto code = [&](data::FitRequest other, const std::vector<api::Option>& how) {
    other.resume = folder.path();
    try {
      data::fit_model(settings_of(how), other);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code(request(), options()), 0);
  EXPECT_EQ(code(request(), options("41")), 1035);
  auto seed = request();
  seed.seed = 4;
  EXPECT_EQ(code(seed, options()), 1035);
  auto samples = request();
  samples.samples = two_blobs(202);
  EXPECT_EQ(code(samples, options()), 1035);
}

TEST(Loop, SamplesToWatchAreEvaluatedAtFirstAndAfterEachTenth) {
  auto watched = request();
  watched.valid_samples = two_blobs(64);
  const auto settings = settings_of(options("200"));
  const auto model = data::fit_model(settings, watched);
  ASSERT_EQ(model->card().history.size(), 2U);
  const auto& history = model->card().history.back();
  EXPECT_EQ(history.name, "valid.loss");
  ASSERT_EQ(history.values.size(), 11U);
  EXPECT_EQ(history.values.back(), model->evaluate_samples(*watched.valid_samples, 3)[0].second);
  EXPECT_LT(history.values.back(), history.values.front());
  const Folder folder;
  Stop stop(90);
  auto cut = watched;
  cut.resume = folder.path();
  cut.observer = &stop;
  EXPECT_THROW(data::fit_model(settings, cut), Interrupted);
  clear_interrupt();
  cut.observer = nullptr;
  EXPECT_EQ(data::fit_model(settings, cut)->bytes(), model->bytes());
}

TEST(Loop, ALossThatIsNotFiniteStopsWithItsStep) {
  auto how = options();
  how.emplace_back("learning_rate", "1e30");
  how.emplace_back("gradient_clip", "0");
  how.emplace_back("warmup_steps", "0");
  try {
    data::fit_model(settings_of(how), request());
    FAIL();
  } catch (const NumericError& error) {
    EXPECT_EQ(error.code(), 4029);
    EXPECT_NE(error.message().find("the loss of step"), std::string::npos) << error.message();
  }
}

TEST(Loop, DivergenceNeverReachesACheckpointOrAModel) {
  auto how = options("1");
  how.insert(how.end(), {{"learning_rate", "1e39"}, {"warmup_steps", "0"}, {"ema_decay", "0"}});
  EXPECT_THROW(data::fit_model(settings_of(how), request()), NumericError);
  const Folder folder;
  auto kept = request();
  kept.resume = folder.path();
  kept.checkpoint_seconds = 0.0;
  EXPECT_THROW(data::fit_model(settings_of(how), kept), NumericError);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/checkpoint.safetensors"));
}

TEST(Loop, SamplesToWatchThatDoNotFitAreRefusedBeforeTheFirstStep) {
  auto watched = request();
  auto images = two_blobs(4);
  images->shape = {1};
  images->count = 8;
  watched.valid_samples = images;
  Stop never(1);
  watched.observer = &never;
  EXPECT_THROW(data::fit_model(settings_of(options()), watched), DataError);
}

TEST(Loop, NothingLearnsAnyMoreBehindIt) {
  struct Sum final : Objective {
    std::unique_ptr<Net> net;
    bool learned = false;
    Parameters& parameters() override { return net->parameters(); }
    double step(std::int64_t) override {
      const Tensor x = at::ones({2, 1, 4, 4});
      net->backward(at::ones_like(net->run({x, at::ones({2}), {}})));
      learned = parameters().items().front().value.requires_grad();
      return 1.0;
    }
    std::shared_ptr<const data::Model> model(const Tensor&) override { return nullptr; }
  };
  Sum objective;
  const Plan plan(std::vector<api::Option>{{"network", "unet"},
                                           {"network.channels", "8"},
                                           {"network.norm_groups", "4"},
                                           {"network.head_width", "8"},
                                           {"network.attention", "-1"},
                                           {"steps", "2"}});
  objective.net = make_net(*plan.diffusion.network, {.sample = {1, 4, 4}});
  train(objective, plan.diffusion.training->config(), {}, {});
  EXPECT_TRUE(objective.learned);
  for (const auto& item : objective.parameters().items()) {
    EXPECT_FALSE(item.value.requires_grad()) << item.name;
  }
}

TEST(Loop, PicturesAreWhatTheModelGeneratesOfAllLabelsInTurn) {
  const Folder folder;
  auto seen = request();
  seen.log_folder = folder.path();
  auto how = options("10");
  how.emplace_back("sample_every", "10");
  how.emplace_back("ema_decay", "0");
  const auto model = data::fit_model(settings_of(how), seen);
  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  const data::Samples shown =
      data::read_samples(folder.path() + "/samples_0000010.csv", {.label = "label"});
  ASSERT_EQ(shown.count, 64);
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/samples_0000005.csv"));
  const auto wanted = process::generate(
      generator, generator.sampler(),
      {.rows = 64, .labels = process::labels_named(generator, {"left", "right"}, 64)});
  ASSERT_EQ(shown.numbers.size(), wanted.size());
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    EXPECT_NEAR(shown.numbers[k], wanted[k], 1e-5 * (1.0 + std::abs(wanted[k])));
  }
  for (std::size_t k = 0; k < 64; ++k) {
    EXPECT_EQ(shown.classes[static_cast<std::size_t>(shown.labels[k])], k % 2 ? "right" : "left");
  }
}

TEST(Loop, PartsOfABatchAddUpToIt) {
  const auto whole = data::fit_model(settings_of(options("5")), request());
  auto how = options("5");
  how.emplace_back("accumulate", "3");
  const auto parts = data::fit_model(settings_of(how), request());
  const auto& a = whole->card().history.front().values;
  const auto& b = parts->card().history.front().values;
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], 1e-4 * a[k]);
}

// The same training written with torch's own parts: automatic differentiation and Adam's formulas
// tensor by tensor.
TEST(Loop, LossesFollowAutomaticDifferentiation) {
  auto how = options("20");
  how.insert(how.end(), {{"network.residual", "true"},
                         {"network.activation", "gelu"},
                         {"warmup_steps", "0"},
                         {"schedule", "constant"},
                         {"gradient_clip", "0"},
                         {"learning_rate", "0.01"}});
  const auto model = data::fit_model(settings_of(how), request());
  const auto& losses = model->card().history.front().values;
  ASSERT_EQ(losses.size(), 20U);
  const Plan plan(how);
  const auto samples = two_blobs(200);
  Batches batches(batch_plan(plan.diffusion), Scale(Scaling::standard, *samples),
                  {.samples = samples, .rows = 32, .seed = 3});
  const NetworkShape shape{.sample = {2}, .classes = 2, .time_scale = 1000.0, .seed = 3};
  const auto net = make_net(*plan.diffusion.network, shape);
  net->parameters().require_gradients(true);
  std::vector<std::pair<Tensor, Tensor>> moments;
  for (const auto& item : net->parameters().items()) {
    moments.emplace_back(at::zeros_like(item.value), at::zeros_like(item.value));
  }
  for (int step = 1; step <= 20; ++step) {
    Batch batch = batches.at(step - 1);
    const BatchTensors tensors = tensors_of(batch, shape, 0, 32, at::kCPU);
    net->parameters().gradients().zero_();
    const at::AutoGradMode on(true);
    const Tensor loss = (net->forward(tensors.input) - tensors.target).square().mean();
    torch::autograd::backward({loss}, {});
    EXPECT_NEAR(losses[static_cast<std::size_t>(step - 1)], loss.item<double>(), 1e-4) << step;
    const at::NoGradGuard off;
    for (std::size_t k = 0; k < moments.size(); ++k) {
      const Tensor w = net->parameters().items()[k].value;
      auto& [mean, square] = moments[k];
      mean.mul_(0.9).add_(w.grad(), 0.1);
      square.mul_(0.999).addcmul_(w.grad(), w.grad(), 0.001);
      const Tensor root = (square / (1.0 - std::pow(0.999, step))).sqrt_().add_(1e-8);
      w.sub_(mean / (1.0 - std::pow(0.9, step)) / root, 0.01);
    }
  }
}

// AdamW by its formulas in float64, one number at a time.
TEST(Optimizer, UpdatesAreThoseOfTheFormulas) {
  Parameters parameters;
  Scope(parameters).add("w", {5}, Init::normal(1.0));
  parameters.pack();
  parameters.init(1);
  TrainingConfig config{.steps = 20, .warmup_steps = 3, .weight_decay = 0.1, .gradient_clip = 1.0};
  Optimizer optimizer(parameters, config);
  std::vector<double> w(5), m(5), v(5), average(5);
  for (std::size_t k = 0; k < 5; ++k) {
    w[k] = average[k] = parameters.values()[static_cast<std::int64_t>(k)].item<double>();
  }
  for (std::int64_t step = 0; step < 20; ++step) {
    std::vector<double> g(5);
    double norm = 0.0;
    for (std::size_t k = 0; k < 5; ++k) {
      g[k] = std::sin(static_cast<double>(step) + static_cast<double>(k)) *
             (step % 2 == 0 ? 3.0 : 0.1);
      parameters.gradients()[static_cast<std::int64_t>(k)] = g[k];
      norm += g[k] * g[k];
    }
    norm = std::sqrt(norm);
    EXPECT_NEAR(optimizer.update(step), norm, 1e-5);
    const double rate = learning_rate_at(config, step), decay = ema_decay_at(config, step);
    for (std::size_t k = 0; k < 5; ++k) {
      if (norm > 1.0) g[k] /= norm;
      m[k] = 0.9 * m[k] + 0.1 * g[k];
      v[k] = 0.999 * v[k] + 0.001 * g[k] * g[k];
      const double mean = m[k] / (1.0 - std::pow(0.9, step + 1));
      const double square = v[k] / (1.0 - std::pow(0.999, step + 1));
      w[k] -= rate * (mean / (std::sqrt(square) + 1e-8) + 0.1 * w[k]);
      average[k] = decay * average[k] + (1.0 - decay) * w[k];
      EXPECT_NEAR(parameters.values()[static_cast<std::int64_t>(k)].item<double>(), w[k], 1e-5);
      EXPECT_NEAR(optimizer.kept()[static_cast<std::int64_t>(k)].item<double>(), average[k], 1e-5);
    }
  }
}

// Perceptrons compute in blocks that threads do not change; so does what the loop adds up.
TEST(Loop, APerceptronIsTheSameOnAnyThreads) {
  for (const char* name : {"neural.diffusion", "neural.classifier"}) {
    std::vector<std::string> files;
    for (const int threads : {1, 2, 3}) {
      const ThreadScope scope(threads);
      const auto settings = api::parse_settings(name, {{{"network", "mlp"},
                                                        {"network.width", "300"},
                                                        {"batch_size", "300"},
                                                        {"gradient_clip", "0.1"},
                                                        {"steps", "12"}}});
      files.push_back(data::fit_model(settings, {.seed = 1, .samples = two_blobs(500)})->bytes());
    }
    EXPECT_EQ(files[0], files[1]) << name;
    EXPECT_EQ(files[0], files[2]) << name;
  }
}

}  // namespace
}  // namespace gradatim::neural
