// Learned variances as a whole: on Gaussian data, whose reverse steps are known, the bound against
// the entropy, and what a network learns.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/core/error.h"
#include "gradatim/neural/diffusion/variance_loss.h"
#include "gradatim/neural/testing.h"
#include "gradatim/process/generator.h"
#include "gradatim/process/host_space.h"
#include "gradatim/process/sampler.h"

namespace gradatim::neural {
namespace {

using namespace testing;

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
