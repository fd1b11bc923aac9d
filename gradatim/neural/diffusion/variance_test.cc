// Learned variances in training: the costs of steps against autograd, finite differences and direct
// formulas; on Gaussian data, whose reverse steps are known, the bound against the entropy.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/planner.h"
#include "gradatim/process/sampler.h"

namespace gradatim::neural {
namespace {

using namespace testing;

template <class I>
std::shared_ptr<const I> make(std::string_view name, const std::vector<api::Option>& options = {}) {
  return api::build_as<I>(api::parse_settings(name, options));
}

double mass_below(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

// Steps of every kind: long and short, to densities and to bytes, of both ends of their range.
struct Case {
  explicit Case(at::ScalarType type, double half = 1.0 / 255.0) {
    const StepTable table(make<process::Path>("process.path.linear"));
    const auto noise = make<process::Prediction>("process.prediction.noise");
    std::vector<StepTerms> terms;
    for (const std::int64_t place : {1, 1, 1, 2, 3, 50, 400, 1000}) {
      terms.push_back(table.terms(place, *noise));
    }
    at::manual_seed(3);
    error = at::randn({8, 4}, type);
    v = at::randn({8, 4}, type);
    Tensor data = at::rand({8, 4}, type) * 1.8 - 0.9;
    data.index_put_({at::tensor(0L), at::tensor(0L)}, -1.0);
    data.index_put_({at::tensor(0L), at::tensor(1L)}, 1.0);
    data.index_put_({at::tensor(1L), at::tensor(0L)}, 1.0);
    steps = step_costs(terms, data, {half, -1.0, 1.0});
    for (Tensor* each : {&steps.log_range, &steps.error, &steps.offset, &steps.to_data, &steps.gain,
                         &steps.log_least}) {
      *each = each->to(type);
    }
  }
  Tensor error, v;
  StepCosts steps;
};

TEST(StepCost, TheGradientByHandIsThatOfFiniteDifferences) {
  for (const double half : {0.0, 1.0 / 255.0}) {
    const Case given(at::kDouble, half);
    const Tensor by_hand = step_cost(given.error, given.v, given.steps).gradient;
    const double h = 1e-5;
    const Tensor above = step_cost(given.error, given.v + h, given.steps).cost;
    const Tensor below = step_cost(given.error, given.v - h, given.steps).cost;
    const Tensor slope = (above - below) / (2.0 * h);
    EXPECT_TRUE(at::allclose(by_hand, slope, 1e-6, 1e-8)) << half;
    EXPECT_GT(by_hand.abs().min().item<double>(), 0.0);
  }
}

TEST(StepCost, TheGradientByHandIsThatOfAutograd) {
  const Case given(at::kDouble, 0.0);
  const at::AutoGradMode graph(true);
  const Tensor v = given.v.clone().requires_grad_();
  const Tensor f = 0.5 * (v + 1.0);
  const Tensor ratio = (-f * given.steps.log_range).exp();
  const Tensor own = 1.0 - given.steps.to_data;
  const Tensor cost = 0.5 * (given.steps.offset + f * given.steps.log_range - own +
                             (own + given.steps.error * given.error.square()) * ratio);
  const Cost made = step_cost(given.error, given.v, given.steps);
  EXPECT_TRUE(at::allclose(made.cost, cost.detach(), 1e-9, 1e-12));
  const auto gradient = torch::autograd::grad({cost.sum()}, {v}).front();
  EXPECT_TRUE(at::allclose(made.gradient, gradient, 1e-9, 1e-12));
}

TEST(StepCost, IsTheDivergenceOfTwoNormalDistributions) {
  const auto path = make<process::Path>("process.path.linear");
  const StepTable table(path);
  for (const char* name : {"noise", "v", "data", "velocity", "score"}) {
    const auto prediction = make<process::Prediction>(std::string("process.prediction.") + name);
    for (const std::int64_t place : {2, 30, 700}) {
      const auto a = path->at(table.time(place)), b = path->at(table.time(place - 1));
      const double error = 0.3, v = 0.4;
      const double q = std::pow(process::posterior_deviation(a, b), 2.0);
      const double most = a.sigma * a.sigma - std::pow(a.alpha / b.alpha * b.sigma, 2.0);
      const double p = std::exp(0.7 * std::log(most) + 0.3 * std::log(q));
      double of_data = 0.0;  // in the mean of the step
      for (const auto& part : process::jump(a, b, std::sqrt(q)).parts) {
        if (part.slot == process::kAnswer) of_data = part.c;
      }
      const double shift = of_data * prediction->data(a).f * error;
      const double expected = 0.5 * (std::log(p / q) + (q + shift * shift) / p - 1.0);
      const StepTerms terms[] = {table.terms(place, *prediction)};
      const auto at = [](double x) { return at::full({1, 1}, x, at::kFloat); };
      const Cost made = step_cost(at(error), at(v), step_costs(terms, at(0.0), {}));
      EXPECT_NEAR(made.cost.item<double>(), expected, 2e-5 * expected) << name << ", " << place;
    }
  }
}

TEST(StepCost, OfBytesIsTheirBinsMassAndAllBinsTogetherAreOne) {
  const StepTable table(make<process::Path>("process.path.linear"));
  const std::vector<StepTerms> terms(
      256, table.terms(1, *make<process::Prediction>("process.prediction.data")));
  const Tensor data = (at::arange(256, at::kDouble) / 127.5 - 1.0).view({256, 1});
  for (const double said : {-1.3, -0.2, 0.999, 4.0}) {
    for (const double v : {-1.0, 0.5, 3.0}) {
      const Tensor error = said - data;  // of predicted data
      const Cost made = step_cost(error, at::full_like(error, v),
                                  step_costs(terms, data, {1.0 / 255.0, -1.0, 1.0}));
      EXPECT_NEAR((-made.cost).exp().sum().item<double>(), 1.0, 1e-6);
      EXPECT_TRUE(made.cost.isfinite().all().item<bool>());
      EXPECT_TRUE(made.gradient.isfinite().all().item<bool>());
    }
  }
  const double deviation =
      std::exp(0.5 * (terms[0].log_least + 0.75 * terms[0].log_range));  // v = 0.5
  const double x = data[100].item<double>(), c = x - 0.003 - x;
  const Tensor error = at::full({256, 1}, 0.003, at::kDouble);
  const Cost made = step_cost(error, at::full_like(error, 0.5),
                              step_costs(terms, data, {1.0 / 255.0, -1.0, 1.0}));
  const double mass =
      mass_below((c + 1.0 / 255.0) / deviation) - mass_below((c - 1.0 / 255.0) / deviation);
  EXPECT_NEAR(made.cost[100].item<double>(), -std::log(mass), 1e-5);
}

// The variance of the true step of Gaussian data of deviation c, over the posterior's.
double true_ratio(const process::PathPoint& a, const process::PathPoint& b, double c) {
  const auto precision = [&](const auto& p) {
    return 1.0 / (c * c) + std::pow(p.alpha / p.sigma, 2.0);
  };
  return precision(b) / precision(a);
}

TEST(StepCost, OfGaussianDataIsLeastAtTheVarianceOfTheTrueStep) {
  const double c = 0.6;
  for (const char* name : {"linear", "cosine", "rectified"}) {
    const auto path = make<process::Path>(std::string("process.path.") + name);
    const StepTable table(path);
    const auto prediction = make<process::Prediction>("process.prediction.v");
    for (const std::int64_t place : {2, 20, 500, 999}) {
      const auto a = path->at(table.time(place)), b = path->at(table.time(place - 1));
      StepTerms terms = table.terms(place, *prediction);
      // The mean square of the exact prediction's error, as that of the data it stands for.
      const double spread = 1.0 / (1.0 / (c * c) + std::pow(a.alpha / a.sigma, 2.0));
      const double error = std::sqrt(spread) / terms.gain;
      const auto cost = [&](double v) {
        const double f = 0.5 * (v + 1.0), l = terms.log_range;
        return 0.5 * (f * l + std::expm1(-f * l) + terms.error * error * error * std::exp(-f * l));
      };
      double low = -3.0, high = 3.0;  // by golden sections
      for (int k = 0; k < 60; ++k) {
        const double one = low + 0.382 * (high - low), two = low + 0.618 * (high - low);
        (cost(one) < cost(two) ? high : low) = cost(one) < cost(two) ? two : one;
      }
      const double expected = 2.0 * std::log(true_ratio(a, b, c)) / terms.log_range - 1.0;
      EXPECT_NEAR(0.5 * (low + high), expected, 1e-3) << name << ", " << place;
      // And step_cost has no slope there.
      const auto at = [](double x) { return at::full({1, 1}, x, at::kDouble); };
      auto steps = step_costs({&terms, 1}, at(0.0), {});
      steps.log_range = at(terms.log_range);
      steps.error = at(terms.error);
      const double slope = step_cost(at(error), at(expected), steps).gradient.item<double>();
      EXPECT_NEAR(slope, 0.0, 1e-9 * terms.log_range);
      EXPECT_GT(std::abs(step_cost(at(error), at(expected + 0.1), steps).gradient.item<double>()),
                1e-4 * terms.log_range * terms.log_range);
    }
  }
}

// The exact network of data N(0, c^2): the noise, and the variance of the true step, or v fixed.
class GaussianNet final : public Net {
 public:
  GaussianNet(std::shared_ptr<const process::Path> path, double c, std::optional<double> v)
      : path_(std::move(path)), table_(path_), c_(c), v_(v) {}
  Tensor forward(const NetInput& input) override {
    const Tensor factor = at::empty({input.x.size(0), 1}), v = at::empty_like(input.x);
    for (std::int64_t row = 0; row < input.x.size(0); ++row) {
      const auto place = std::lround(input.t[row].item<double>()) + 1;
      const auto a = path_->at(table_.time(place));
      const double variance = std::pow(a.alpha * c_, 2.0) + a.sigma * a.sigma;
      factor[row] = a.sigma / variance;
      v[row].fill_(v_ ? *v_ : best(a, place));
    }
    return at::cat({input.x * factor, v}, 1);
  }

 private:
  double best(const process::PathPoint& a, std::int64_t place) const {
    const auto noise = make<process::Prediction>("process.prediction.noise");
    const StepTerms terms = table_.terms(place, *noise);
    if (!terms.to_data) {
      const auto b = path_->at(table_.time(place - 1));
      return 2.0 * std::log(true_ratio(a, b, c_)) / terms.log_range - 1.0;
    }
    const double spread = 1.0 / (1.0 / (c_ * c_) + std::pow(a.alpha / a.sigma, 2.0));
    return 2.0 * (std::log(spread) - terms.log_least) / terms.log_range - 1.0;
  }

  std::shared_ptr<const process::Path> path_;
  StepTable table_;
  double c_;
  std::optional<double> v_;
};

std::shared_ptr<data::Samples> gaussian_samples(double c) {
  auto samples = std::make_shared<data::Samples>(data::Samples{.shape = {8}, .count = 5000});
  std::vector<double> noise(40000);
  normals(Philox(5, Stream::data), 0, noise);
  for (const double z : noise) samples->numbers.push_back(static_cast<float>(c * z));
  return samples;
}

Bound bound_of(const char* betas, double c, std::optional<double> v) {
  const Plan plan({{"network", "mlp"},
                   {"path", "cosine"},
                   {"path.betas", betas},
                   {"prediction", "noise"},
                   {"learned_variance", "true"}});
  const FieldParts parts{std::make_shared<GaussianNet>(plan.diffusion.path, c, v),
                         plan.diffusion.path,
                         plan.diffusion.prediction,
                         {.sample = {8}, .outputs = 2}};
  const Scale scale;
  return variational_bound(parts, plan.diffusion, *variance_loss(plan.diffusion, scale, false),
                           scale, gaussian_samples(c), 1);
}

TEST(VariationalBound, OfAnOracleIsTheEntropyWithTheTrueVarianceAndNearsItWithALargeOne) {
  const at::NoGradGuard plain;
  const double c = 0.5;
  const double entropy = 0.5 * std::log2(2.0 * std::numbers::pi * std::numbers::e * c * c);
  // The entropy of the samples at hand, which differ from their distribution.
  double square = 0.0;
  const auto samples = gaussian_samples(c);
  for (const float x : samples->numbers) square += x * x / 40000.0;
  const double expected = entropy + 0.5 * (square / (c * c) - 1.0) / std::numbers::ln2;
  // The diffusion's variance is right for short steps; the posterior's never is near the data,
  // where a step changes the noise by a factor however many there are. On the same draws, so that
  // differences are known better than the bounds.
  std::vector<double> gaps;
  for (const char* betas : {"10", "100", "1000"}) {
    const Bound learned = bound_of(betas, c, std::nullopt);
    EXPECT_NEAR(learned.bits, expected, 4.0 * learned.error) << betas;
    EXPECT_LT(learned.error, 0.05) << betas;
    EXPECT_GT(learned.error, 1e-4) << betas;
    gaps.push_back(bound_of(betas, c, 1.0).bits - learned.bits);
    EXPECT_GT(bound_of(betas, c, -1.0).bits - learned.bits, 0.5) << betas;
  }
  EXPECT_GT(gaps[2], 0.0);
  EXPECT_LT(gaps[1], 0.6 * gaps[0]);
  EXPECT_LT(gaps[2], 0.6 * gaps[1]);
}

std::shared_ptr<const data::Model> fitted_with_variance(
    const std::vector<api::Option>& more, std::shared_ptr<data::Samples> samples,
    std::shared_ptr<data::Samples> source = nullptr) {
  std::vector<api::Option> options = {
      {"network", "mlp"},      {"network.width", "32"},    {"path", "linear"},
      {"prediction", "noise"}, {"batch_size", "128"},      {"steps", "400"},
      {"ema_decay", "0.98"},   {"learning_rate", "0.003"}, {"learned_variance", "true"}};
  options.insert(options.end(), more.begin(), more.end());
  return data::fit_model(settings_of(options),
                         {.seed = 1, .samples = std::move(samples), .source = std::move(source)});
}

// Twenty steps, of which each changes the noise so much that its variance is soon learned.
const std::vector<api::Option> kShort = {{"scaling", "none"},        {"path", "cosine"},
                                         {"path.betas", "20"},       {"prediction", "v"},
                                         {"variance_weight", "0.5"}, {"steps", "2000"}};

TEST(LearnedVariance, IsFittedEvaluatedSavedAndSampledFrom) {
  const auto model = fitted_with_variance(kShort, gaussian_samples(0.5));
  const auto metrics = model->evaluate_samples(*gaussian_samples(0.5), 2);
  ASSERT_EQ(metrics.size(), 3U);
  EXPECT_EQ(metrics[1].first, "vlb");
  EXPECT_EQ(metrics[2].first, "vlb_error");
  const double entropy = 0.5 * std::log2(2.0 * std::numbers::pi * std::numbers::e * 0.25);
  EXPECT_GT(metrics[1].second, entropy - 4.0 * metrics[2].second);
  EXPECT_LT(metrics[1].second, entropy + 0.6);
  const auto again = data::load_model_bytes(model->bytes(), "memory");
  EXPECT_EQ(again->evaluate_samples(*gaussian_samples(0.5), 2), metrics);

  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  const auto deviation = [&](const char* variance) {
    auto settings = api::parse_settings("process.sampler",
                                        std::vector<api::Option>{{"solver", "ddpm"},
                                                                 {"solver.variance", variance},
                                                                 {"grid", "trailing"},
                                                                 {"steps", "20"}});
    for (const auto& [name, part] : generator.sampler().parts) settings.parts.emplace(name, part);
    const auto sampler = api::build_as<process::Sampler>(settings);
    const auto numbers =
        sampler->sample([&](const auto&, const auto&) { return generator.field(); },
                        {.rows = 2000, .dims = 8, .seed = 4});
    double square = 0.0;
    for (const float x : numbers) square += x * x / static_cast<double>(numbers.size());
    return std::sqrt(square);
  };
  std::printf("vlb %.3f of %.3f; %.3f %.3f %.3f\n", metrics[1].second, entropy,
              deviation("learned"), deviation("fixed_small"), deviation("fixed_large"));
  const double learned = std::abs(deviation("learned") - 0.5);
  EXPECT_LT(learned, 0.05);
  EXPECT_LT(learned, std::abs(deviation("fixed_small") - 0.5));
}

TEST(LearnedVariance, ItsVariancesAreThoseOfTheTrueSteps) {
  const double c = 0.5;
  const auto model = fitted_with_variance(kShort, gaussian_samples(c));
  const auto& generator = dynamic_cast<const process::Generator&>(*model);
  const auto field = generator.field();
  ASSERT_TRUE(field->learns_variance());
  const auto path = generator.path();
  process::HostSpace<double> space;
  const process::ConditionPtr any;
  for (const double t : {0.25, 0.5}) {
    const auto a = path->at(t), b = path->at(t - 0.05);
    const std::vector<double> x(8, 0.3), times = {t};
    const std::vector<std::int64_t> rows = {0};
    process::Vec out, variance, alone;
    field->eval_with_variance(space, {space.from(x, 1, 8), times, rows}, {&any, 1}, {&out, 1},
                              {&variance, 1});
    field->eval(space, {space.from(x, 1, 8), times, rows}, {&any, 1}, {&alone, 1});
    std::vector<double> v(8), said(8), said_alone(8);
    space.copy_out(variance, v);
    space.copy_out(out, said);
    space.copy_out(alone, said_alone);
    EXPECT_EQ(said, said_alone);
    const double best = std::log(true_ratio(a, b, c)) / std::log(a.sigma / b.sigma) - 1.0;
    double mean = 0.0;
    for (const double each : v) mean += each / 8.0;
    EXPECT_NEAR(mean, best, 0.2) << t;
  }
}

// Images of two bytes alone, -1 and 1 as states: nothing is left to say but which.
TEST(LearnedVariance, TheBoundOfBytesIsOfTheirBins) {
  auto images = std::make_shared<data::Samples>(data::Samples{.shape = {1, 4, 4}, .count = 64});
  for (std::int64_t k = 0; k < 64 * 16; ++k) {
    images->bytes.push_back(k / 16 % 2 == 0 ? std::uint8_t{0} : std::uint8_t{255});
  }
  const auto model = fitted_with_variance({{"network", "mlp"}}, images);
  const auto metrics = model->evaluate_samples(*images, 2);
  EXPECT_GT(metrics[1].second, 1.0 / 16.0 - 4.0 * metrics[2].second) << "a bit an image";
  EXPECT_LT(metrics[1].second, 7.0) << "eight bits are no model at all";
}

TEST(LearnedVariance, AnotherStartThanNormalNoiseIsRefused) {
  const auto code = [](const std::vector<api::Option>& more, bool source) {
    try {
      fitted_with_variance(more, two_blobs(50), source ? two_blobs(50) : nullptr);
    } catch (const Error& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code({{"coupling", "optimal_transport"}, {"steps", "1"}}, false), 1146);
  EXPECT_EQ(code({{"path", "rectified"}, {"prediction", "velocity"}, {"steps", "1"}}, true), 1146);
  EXPECT_EQ(code({{"path", "rectified"}, {"prediction", "velocity"}, {"steps", "1"}}, false), 0);
}

}  // namespace
}  // namespace gradatim::neural
