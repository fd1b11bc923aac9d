// neural.classifier: what it learns, and the gradients that it guides by.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "gradatim/core/error.h"
#include "gradatim/neural/classifier/classifier_loss.h"
#include "gradatim/neural/classifier/classifier_model.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/mixture.h"
#include "gradatim/process/sampler.h"
#include "gradatim/process/testing.h"

namespace gradatim::neural {
namespace {

using namespace testing;
using process::testing::Ask;
using process::testing::code_of;

constexpr const char* kName = "neural.classifier";

std::shared_ptr<const process::Path> path_named(std::string_view name) {
  return process::testing::make<process::Path>(name);
}

std::unique_ptr<Net> net_of(std::string_view network, const NetworkShape& shape,
                            const std::vector<api::Option>& options = {}) {
  return make_net(*process::testing::make<Network>(network, options), shape);
}

// A classifier with values drawn anew, wide enough that its gradients are no small ones.
ClassifierParts random_parts(std::string_view network, NetworkShape shape) {
  shape.scores = 3;
  shape.seed = 5;
  std::shared_ptr<Net> net = net_of(network, shape);
  at::manual_seed(3);
  for (const auto& item : net->parameters().items()) {
    if (item.name.ends_with("weight") && item.value.dim() > 1) {
      const double inputs = static_cast<double>(item.value.numel() / item.value.size(0));
      item.value.copy_(at::randn(item.value.sizes()) * (2.0 / std::sqrt(inputs)));
    }
  }
  const Tensor shares = at::tensor(at::ArrayRef<double>({0.5, 0.3, 0.2})).log_().to(at::kFloat);
  return {net, path_named("process.path.rectified"), shape, shares, at::kCPU};
}

std::shared_ptr<const process::Labels> labels(std::vector<std::int64_t> places) {
  return std::make_shared<process::Labels>(std::move(places));
}

std::vector<double> states_like(std::size_t count) {
  std::vector<double> x(count);
  for (std::size_t k = 0; k < count; ++k) x[k] = std::sin(1.3 * static_cast<double>(k) + 0.4);
  return x;
}

std::vector<double> gradient_of(const process::Energy& energy, const std::vector<double>& x,
                                std::int64_t dims, double t) {
  Ask ask(x, dims, t);
  return ask.out(energy.gradient(ask.space, ask.query, nullptr, {}));
}

std::vector<double> gradient_of(const ClassifierParts& parts, std::int64_t label,
                                const std::vector<double>& x, double t,
                                const char* path = "process.path.rectified",
                                process::StateMap map = {}) {
  const auto dims = c10::multiply_integers(parts.shape.sample);
  if (map.shift.empty()) map.shift.resize(static_cast<std::size_t>(dims));
  return gradient_of(ClassifierEnergy(parts, labels({label}), path_named(path), map), x, dims, t);
}

// ln p of every label at x, by the network itself, [rows, 3].
Tensor log_chances(const ClassifierParts& parts, const std::vector<double>& x, double t) {
  const at::NoGradGuard plain;
  const process::PathPoint p = parts.path->at(t);
  std::vector<std::int64_t> sizes{-1};
  sizes.insert(sizes.end(), parts.shape.sample.begin(), parts.shape.sample.end());
  const Tensor input =
      at::tensor(at::ArrayRef<double>(x)).to(at::kFloat).view(sizes) / std::hypot(p.alpha, p.sigma);
  const Tensor times = at::full({input.size(0)}, parts.path->model_time(t), at::kFloat);
  const Tensor output = parts.net->forward({input, times, {}}).to(at::kDouble);
  return at::log_softmax(parts.log_shares + p.alpha / std::hypot(p.alpha, p.sigma) * output, 1);
}

const NetworkShape kRows{.sample = {4}, .time_scale = 1000.0};
const NetworkShape kImages{.sample = {1, 6, 5}, .time_scale = 1000.0};

TEST(ConvClassifier, EveryImageSizeGetsAScoreAClass) {
  for (const std::int64_t size : {1, 2, 7, 8, 33}) {
    const auto net = net_of("neural.network.conv_classifier",
                            {.sample = {3, size, size + 1}, .scores = 4}, {{"layers", "2"}});
    const Tensor scores = net->forward({at::randn({2, 3, size, size + 1}), at::rand({2}), {}});
    EXPECT_EQ(scores.sizes(), at::IntArrayRef({2, 4}));
    EXPECT_GT((scores[0] - scores[1]).abs().max().item<double>(), 1e-4);
  }
}

TEST(ConvClassifier, ANetworkIsRefusedWhatItCannotPutOut) {
  const char* conv = "neural.network.conv_classifier";
  EXPECT_EQ(code_of([&] { net_of(conv, {.sample = {4}, .scores = 2}); }), 1161);
  EXPECT_EQ(code_of([&] { net_of(conv, {.sample = {1, 8, 8}}); }), 1170);
  EXPECT_EQ(code_of([&] {
              net_of("neural.network.unet", {.sample = {1, 8, 8}, .scores = 2});
            }),
            1170);
  const auto field = net_of("neural.network.unet", {.sample = {1, 8, 8}},
                            {{"channels", "8,8"}, {"norm_groups", "4"}, {"head_width", "8"}});
  EXPECT_EQ(code_of([&] { field->features({}); }), 1170);
}

TEST(ClassifierLoss, ItsGradientIsThatOfSmoothedCrossEntropy) {
  for (const double smoothing : {0.0, 0.2}) {
    const auto net = net_of("neural.network.mlp", {.sample = {3}, .scores = 5}, {{"width", "16"}});
    at::manual_seed(1);
    const NetInput input{at::randn({12, 3}), at::rand({12}), {}};
    const Tensor wanted = at::randint(5, {12}, at::kLong);
    const Tensor signal = at::rand({12}), shares = at::randn({5});
    const double loss = learn_labels(*net, {input, signal, wanted}, shares, smoothing, 24);
    const Tensor by_hand = net->parameters().gradients().clone();
    net->parameters().gradients().zero_();
    net->parameters().require_gradients(true);
    const at::AutoGradMode on(true);
    const Tensor expected =
        at::cross_entropy_loss(shares + net->forward(input) * signal.unsqueeze(1), wanted, {},
                               at::Reduction::Sum, -100, smoothing) /
        24.0;
    torch::autograd::backward({expected});
    EXPECT_NEAR(loss, expected.item<double>(), 1e-6);
    EXPECT_GT(by_hand.abs().max().item<float>(), 1e-2F);
    EXPECT_LT((by_hand - net->parameters().gradients()).abs().max().item<float>(), 1e-6F);
  }
}

TEST(ClassifierEnergy, ItsGradientIsThatOfTheChanceOfTheLabel) {
  for (const auto& parts : {random_parts("neural.network.mlp", kRows),
                            random_parts("neural.network.conv_classifier", kImages)}) {
    const auto dims = static_cast<std::size_t>(c10::multiply_integers(parts.shape.sample));
    const auto x = states_like(3 * dims);
    for (const double t : {0.1, 0.8}) {
      const auto found = gradient_of(parts, 2, x, t);
      double largest = 0.0;
      for (std::size_t k = 0; k < x.size(); ++k) {
        double slope = 0.0;
        for (const double side : {-1.0, 1.0}) {
          auto moved = x;
          moved[k] += side * 2e-3;
          const auto row = static_cast<std::int64_t>(k / dims);
          slope += side / 4e-3 * log_chances(parts, moved, t)[row][2].item<double>();
        }
        EXPECT_NEAR(found[k], slope, 2e-3) << k;
        largest = std::max(largest, std::abs(slope));
      }
      EXPECT_GT(largest, 0.05);
    }
  }
}

TEST(ClassifierEnergy, GradientsOfAllLabelsWeighedByTheirChancesAreNothing) {
  const auto parts = random_parts("neural.network.conv_classifier", kImages);
  const auto x = states_like(60);
  const Tensor chances = log_chances(parts, x, 0.4).exp();
  std::vector<double> sum(x.size(), 0.0);
  for (std::int64_t label = 0; label < 3; ++label) {
    const auto gradient = gradient_of(parts, label, x, 0.4);
    for (std::size_t k = 0; k < x.size(); ++k) {
      sum[k] += chances[static_cast<std::int64_t>(k / 30)][label].item<double>() * gradient[k];
    }
  }
  for (const double s : sum) EXPECT_NEAR(s, 0.0, 1e-5);
}

TEST(ClassifierEnergy, AtEqualNoiseEveryPathSaysTheSame) {
  const auto parts = random_parts("neural.network.mlp", kRows);
  const auto x = states_like(8);
  const double ratio = parts.path->at(0.6).ratio();
  const process::PathPoint here = parts.path->at(0.6);
  const auto expected = gradient_of(parts, 1, x, 0.6);
  for (const char* name : {"process.path.cosine", "process.path.vp", "process.path.edm"}) {
    SCOPED_TRACE(name);
    const auto path = path_named(name);
    const process::PathPoint there = path->at(path->time_of(ratio));
    const double scale = std::hypot(there.alpha, there.sigma) / std::hypot(here.alpha, here.sigma);
    auto scaled = x;
    for (double& v : scaled) v *= scale;
    const auto found = gradient_of(parts, 1, scaled, there.t, name);
    for (std::size_t k = 0; k < x.size(); ++k) EXPECT_NEAR(found[k] * scale, expected[k], 1e-4);
  }
}

TEST(ClassifierEnergy, StatesOfAnotherScaleAreBroughtToItsOwn) {
  // alpha x + sigma z with x = (own - shift) / factor: the same sample, with 1 / factor of the
  // noise.
  const auto parts = random_parts("neural.network.mlp", kRows);
  const process::StateMap map{.factor = 2.0, .shift = {0.5, -0.25, 0.0, 1.0}};
  const auto own = states_like(4), noise = states_like(4);
  const double t = 0.5;
  const process::PathPoint p = parts.path->at(t);
  std::vector<double> state(4), same(4);
  const process::PathPoint q = parts.path->at(parts.path->time_of(2.0 * p.ratio()));
  for (std::size_t k = 0; k < 4; ++k) {
    state[k] = p.alpha * (own[k] - map.shift[k]) / map.factor + p.sigma * noise[k];
    same[k] = q.alpha * own[k] + q.sigma * noise[k];
  }
  const auto found = gradient_of(parts, 0, state, t, "process.path.rectified", map);
  const auto expected = gradient_of(parts, 0, same, q.t);
  for (std::size_t k = 0; k < 4; ++k) {
    // d same / d state
    EXPECT_NEAR(found[k], expected[k] * q.alpha / p.alpha * map.factor, 1e-4);
  }
}

TEST(ClassifierEnergy, WhereNoSignalIsLeftGuidanceStaysFinite) {
  const auto parts = random_parts("neural.network.conv_classifier", kImages);
  const auto x = states_like(30);
  const auto strongest = [&](double alpha) {
    double most = 0.0;
    for (const double g : gradient_of(parts, 1, x, 1.0 - alpha)) {
      most = std::max(most, std::abs(g) * (1.0 - alpha) * (1.0 - alpha) / alpha);
    }
    return most;
  };
  EXPECT_GT(strongest(1e-4), 0.01);
  EXPECT_NEAR(strongest(1e-4), strongest(1e-3), 0.5 * strongest(1e-3));
  for (const double g : gradient_of(parts, 1, x, 1.0)) EXPECT_EQ(g, 0.0);
}

TEST(ClassifierEnergy, ARowIsTheSameInEveryBatch) {
  const auto parts = random_parts("neural.network.conv_classifier", kImages);
  const auto many = states_like(30 * 130);
  const auto all = gradient_of(parts, 1, many, 0.3);
  const std::vector<double> last(many.end() - 60, many.end());
  const auto few = gradient_of(parts, 1, last, 0.3);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), all.end() - 60));
}

std::shared_ptr<const data::Model> classified(std::vector<api::Option> more = {},
                                              data::FitRequest from = {}) {
  std::vector<api::Option> options = {{"network", "mlp"},
                                      {"network.width", "32"},
                                      {"steps", "200"},
                                      {"learning_rate", "0.005"},
                                      {"ema_decay", "0.95"}};
  options.insert(options.end(), more.begin(), more.end());
  if (from.samples == nullptr) from = {.seed = 1, .samples = two_blobs(400)};
  return data::fit_model(settings_of(options, kName), from);
}

double metric(const data::Model& model, const data::Samples& samples, const std::string& name) {
  for (const auto& [found, value] : model.evaluate_samples(samples, 0)) {
    if (found == name) return value;
  }
  return std::nan("");
}

TEST(Classifier, TellsEasyClassesApart) {
  const auto model = classified();
  EXPECT_EQ(metric(*model, *two_blobs(300), "accuracy"), 1.0);
  EXPECT_LT(metric(*model, *two_blobs(300), "log_loss"), 0.05);
}

TEST(Classifier, ChancesAddUpToOneAndAreWhatIsEvaluated) {
  const auto model = classified({{"steps", "20"}});
  const auto samples = two_blobs(1500);
  const auto made = model->predict_samples(*samples);
  ASSERT_EQ(made.columns, 2);
  double loss = 0.0;
  for (std::size_t row = 0; row < 1500; ++row) {
    EXPECT_NEAR(made.values[2 * row] + made.values[2 * row + 1], 1.0, 1e-12);
    loss -= std::log(made.values[2 * row + static_cast<std::size_t>(samples->labels[row])]);
  }
  EXPECT_NEAR(metric(*model, *samples, "log_loss"), loss / 1500.0, 1e-9);
}

TEST(Classifier, LabelsAreComparedByTheirWords) {
  const auto model = classified();
  data::Samples right = *two_blobs(100);
  std::vector<float> kept;
  for (std::size_t k = 0; k < 100; k += 2) {
    kept.insert(kept.end(), {right.numbers[2 * k + 2], right.numbers[2 * k + 3]});
  }
  right.count = 50;
  right.numbers = kept;
  right.labels.assign(50, 0);
  right.classes = {"right"};
  EXPECT_EQ(metric(*model, right, "accuracy"), 1.0);
  right.classes = {"middle"};
  EXPECT_EQ(code_of([&] { metric(*model, right, "accuracy"); }), 2026);
  right.labels.clear();
  EXPECT_EQ(code_of([&] { metric(*model, right, "accuracy"); }), 2092);
}

TEST(Classifier, SamplesWithoutLabelsOrOfOneClassAreRefused) {
  auto bare = std::make_shared<data::Samples>(*two_blobs(10));
  bare->labels.assign(10, 0);
  bare->classes = {"left"};
  EXPECT_EQ(code_of([&] { classified({}, {.samples = bare}); }), 2093);
  bare->labels.clear();
  bare->classes.clear();
  EXPECT_EQ(code_of([&] { classified({}, {.samples = bare}); }), 2092);
}

TEST(Classifier, OneOfCleanSamplesDoesNotGuide) {
  const auto model = classified({{"noised", "0"}, {"steps", "5"}});
  const auto& guide = dynamic_cast<const process::NoisedClassifier&>(*model);
  const auto path = path_named("process.path.rectified");
  EXPECT_EQ(code_of([&] { guide.energy(labels({1}), path, {1.0, {0.0, 0.0}}); }), 1171);
  const auto noised = classified({{"steps", "5"}});
  const auto& able = dynamic_cast<const process::NoisedClassifier&>(*noised);
  EXPECT_EQ(code_of([&] { able.energy(labels({2}), path, {1.0, {0.0, 0.0}}); }), 1104);
}

TEST(Classifier, SavedAndLoadedItPredictsTheSame) {
  const auto model = classified({{"steps", "20"}});
  const std::string bytes = model->bytes();
  const auto again = data::load_model_bytes(bytes, "memory");
  EXPECT_EQ(again->bytes(), bytes);
  EXPECT_EQ(again->predict_samples(*two_blobs(20)).values,
            model->predict_samples(*two_blobs(20)).values);
  EXPECT_EQ(again->card().classes, (std::vector<std::string>{"left", "right"}));
}

TEST(Classifier, ADamagedFileIsRefused) {
  const std::string bytes = classified({{"steps", "5"}})->bytes();
  const auto code = [](std::string damaged) {
    return code_of([&] { data::load_model_bytes(damaged, "memory"); });
  };
  EXPECT_NE(code(bytes.substr(0, bytes.size() - 4)), 0);
  std::string nan = bytes;  // the last number is a parameter's
  for (std::size_t k = 0; k < 400; ++k) nan[nan.size() - 1 - k] = '\xff';
  EXPECT_EQ(code(nan), 3061);
  std::string other = bytes;
  const auto at = other.find("\\\"right\\\"", other.find("gradatim.samples"));
  ASSERT_NE(at, std::string::npos);
  other.replace(at, 9, "\\\"wrong\\\"");
  EXPECT_EQ(code(other), 3006);
}

// Three normal distributions on a triangle, near enough to overlap when noised.
process::Mixture triangle() {
  process::Mixture mixture{.weights = {0.5, 0.3, 0.2}, .dims = 2};
  mixture.means = {1.0, 0.0, -0.7, 0.8, -0.5, -0.9};
  mixture.deviations.assign(6, 0.3);
  return mixture;
}

std::shared_ptr<const data::Model> of_triangle(const std::vector<api::Option>& more) {
  const auto mixture = triangle();
  auto samples = std::make_shared<data::Samples>(
      data::Samples{.shape = {2}, .count = 4000, .classes = {"a", "b", "c"}});
  std::vector<double> z(8000);
  normals(Philox(4, Stream::data), 0, z);
  for (std::size_t k = 0; k < 4000; ++k) {
    const std::size_t part = k % 10 < 5 ? 0 : (k % 10 < 8 ? 1 : 2);
    samples->labels.push_back(static_cast<std::int64_t>(part));
    for (std::size_t i = 0; i < 2; ++i) {
      samples->numbers.push_back(
          static_cast<float>(mixture.means[2 * part + i] + 0.3 * z[2 * k + i]));
    }
  }
  std::vector<api::Option> options = {{"scaling", "none"}, {"batch_size", "256"}};
  options.insert(options.end(), more.begin(), more.end());
  return classified(options, {.seed = 2, .samples = samples});
}

TEST(Classifier, LearnedOnNoisedDataItsGradientNearsTheExactOne) {
  const auto model = of_triangle({{"steps", "3000"}, {"network.width", "64"}});
  const auto& guide = dynamic_cast<const process::NoisedClassifier&>(*model);
  const auto path = path_named("process.path.rectified");
  for (const double t : {0.3, 0.5, 0.8}) {
    const process::PathPoint p = path->at(t);
    std::vector<double> x(600);
    normals(Philox(9, Stream::data), 0, x);
    const auto mixture = triangle();
    for (std::size_t k = 0; k < x.size(); ++k) {  // states as they come
      const std::size_t part = (k / 2) % 3;
      x[k] = p.alpha * mixture.means[2 * part + k % 2] + std::hypot(0.3 * p.alpha, p.sigma) * x[k];
    }
    const auto found = gradient_of(*guide.energy(labels({1}), path, {1.0, {0.0, 0.0}}), x, 2, t);
    const auto exact = gradient_of(*process::exact_classifier(mixture, path, labels({1})), x, 2, t);
    double wrong = 0.0, all = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      wrong += (found[k] - exact[k]) * (found[k] - exact[k]);
      all += exact[k] * exact[k];
    }
    EXPECT_LT(std::sqrt(wrong / all), 0.25) << "at t = " << t;
  }
}

TEST(Classifier, ItLeadsAnExactFieldToTheLabel) {
  const auto model = of_triangle({{"steps", "1000"}});
  const auto& guide = dynamic_cast<const process::NoisedClassifier&>(*model);
  for (const char* name : {"process.path.rectified", "process.path.cosine"}) {
    SCOPED_TRACE(name);
    const auto settings = api::parse_settings(
        "process.sampler", std::vector<api::Option>{{"path", name}, {"guidance", "classifier"}});
    const auto sampler = api::build_as<process::Sampler>(settings);
    process::SampleRequest request{.rows = 500, .dims = 2, .seed = 1};
    request.energy = guide.energy(labels({2}), sampler->path(), {1.0, {0.0, 0.0}});
    const auto made = sampler->sample(
        [](const auto& path, const auto& prediction) {
          return std::make_shared<process::MixtureField>(triangle(), path, prediction);
        },
        request);
    double x = 0.0, y = 0.0;
    for (std::size_t k = 0; k < made.size(); k += 2) {
      x += made[k] / 500.0;
      y += made[k + 1] / 500.0;
    }
    EXPECT_NEAR(x, -0.5, 0.1);
    EXPECT_NEAR(y, -0.9, 0.1);
  }
}

}  // namespace
}  // namespace gradatim::neural
