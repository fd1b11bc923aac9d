#include "gradatim/neural/flow/dequantizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/neural/flow/testing.h"

namespace gradatim::neural {
namespace {

using testing::normal_tensor;
using testing::perturb;

constexpr std::int64_t kCells = 8;     // -4 .. 3, of a normal law
constexpr double kLawDeviation = 0.6;  // its deviation
constexpr DequantizerConfig kSmallDequantizer{2, {16, 2, Activation::tanh}};

// Cells, each so many times, [rows, 1].
Tensor cells(std::int64_t times) {
  return (at::arange(kCells, at::kFloat) - 4.0).repeat_interleave(times).unsqueeze(1);
}

// ln P of each cell.
Tensor true_log_prob() {
  const Tensor edges = (at::arange(kCells + 1, at::kDouble) - 4.0) / kLawDeviation;
  const Tensor below = at::special_ndtr(edges);
  return (below.slice(0, 1) - below.slice(0, 0, kCells)).log();
}

// E_q [ln p(x + u) - ln q(u | x)] of each cell.
Tensor bounds(const Dequantizer& dequantizer, std::int64_t times, std::uint64_t seed) {
  const Tensor x = cells(times);
  const auto [u, log_q] = dequantizer.draw(x, normal_tensor(x.sizes().vec(), seed));
  const Tensor log_p = ((x + u) / kLawDeviation).square().squeeze(1) * -0.5 -
                       std::log(kLawDeviation) - 0.5 * std::log(2.0 * M_PI);
  return (log_p - log_q).view({kCells, times}).mean(1).to(at::kDouble);
}

TEST(Dequantizer, BeginsUniform) {
  Parameters parameters;
  const Dequantizer dequantizer(Scope(parameters), 3, kSmallDequantizer);
  perturb(parameters, 0.0);
  const at::NoGradGuard plain;
  const auto [u, log_q] =
      dequantizer.draw(normal_tensor({4096, 3}, 1), normal_tensor({4096, 3}, 2));
  EXPECT_LT(log_q.abs().max().item<float>(), 1e-5F);
  EXPECT_NEAR(u.mean().item<double>(), 0.5, 0.01);
  EXPECT_NEAR(u.var().item<double>(), 1.0 / 12.0, 0.002);
}

TEST(Dequantizer, LogQIsTheDensityOfU) {
  Parameters parameters;
  const Dequantizer dequantizer(Scope(parameters), 2, kSmallDequantizer);
  perturb(parameters, 0.2);
  const at::AutoGradMode graph(true);
  const Tensor x = normal_tensor({16, 2}, 1);
  const Tensor noise = normal_tensor({16, 2}, 2).requires_grad_();
  const auto [u, log_q] = dequantizer.draw(x, noise);
  const Tensor jacobian = at::empty({16, 2, 2}, at::kDouble);
  for (std::int64_t k = 0; k < 2; ++k) {
    const auto row = torch::autograd::grad({u.select(1, k).sum()}, {noise}, {}, true).front();
    jacobian.select(1, k).copy_(row);
  }
  const Tensor exact = noise.detach().to(at::kDouble).square().sum(1) * -0.5 -
                       std::log(2.0 * M_PI) - std::get<1>(at::linalg_slogdet(jacobian));
  EXPECT_LT((log_q.detach() - exact).abs().max().item<double>(), 1e-3);
}

// Whatever the parameters, and so near to the truth where it is trained.
TEST(Dequantizer, TheBoundIsBelowTheCellsProbabilityAndTrainingClosesIt) {
  const Tensor truth = true_log_prob();
  for (const double deviation : {0.0, 0.3, 1.0}) {
    Parameters parameters;
    const Dequantizer dequantizer(Scope(parameters), 1, kSmallDequantizer);
    perturb(parameters, deviation);
    const at::NoGradGuard plain;
    EXPECT_LT((bounds(dequantizer, 20000, 1) - truth).max().item<double>(), 0.02) << deviation;
  }
  Parameters parameters;
  const Dequantizer dequantizer(Scope(parameters), 1, kSmallDequantizer);
  perturb(parameters, 0.0);
  parameters.require_gradients(true);
  const auto gap = [&] {
    const at::NoGradGuard plain;
    return (truth - bounds(dequantizer, 4000, 1)).mean().item<double>();
  };
  const double uniform = gap();
  EXPECT_GT(uniform, 0.3);
  for (std::uint64_t step = 0; step < 300; ++step) {
    Tensor loss;
    {
      const at::AutoGradMode graph(true);
      loss = -bounds(dequantizer, 32, 100 + step).mean();
    }
    parameters.gradients().zero_();
    torch::autograd::backward({loss}, {at::ones_like(loss)});
    const at::NoGradGuard plain;
    const Tensor& slope = parameters.gradients();
    ASSERT_TRUE(at::isfinite(slope).all().item<bool>());
    parameters.values().add_(slope, -0.1 / std::max(1.0, slope.norm().item<double>()));
  }
  EXPECT_LT(gap(), 0.2 * uniform);
}

}  // namespace
}  // namespace gradatim::neural
