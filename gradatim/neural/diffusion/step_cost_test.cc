// The costs of steps against finite differences, autograd and direct formulas, and on Gaussian
// data, whose reverse steps are known.
#include "gradatim/neural/diffusion/step_cost.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/neural/testing.h"
#include "gradatim/process/planner.h"

namespace gradatim::neural {
namespace {

using namespace testing;

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

}  // namespace
}  // namespace gradatim::neural
