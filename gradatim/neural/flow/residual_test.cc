#include "gradatim/neural/flow/residual.h"

#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/core/error.h"
#include "gradatim/neural/flow/testing.h"

namespace gradatim::neural {
namespace {

using testing::normal_tensor;
using testing::perturb;

TEST(Contraction, TheBoundIsNeverBelowTheLargestSingularValue) {
  const at::NoGradGuard plain;
  for (const auto& sizes : std::vector<std::vector<std::int64_t>>{
           {1, 1}, {2, 64}, {64, 2}, {64, 64}, {128, 128}, {3, 5}}) {
    const Tensor matrix = 0.3 * normal_tensor(sizes, 3);
    const double exact = at::linalg_svdvals(matrix.to(at::kDouble)).max().item<double>();
    const double bound = spectral_bound(matrix).item<double>();
    EXPECT_GT(bound, exact * (1.0 - 1e-5));
    EXPECT_LT(bound, exact * 1.02);
  }
  // All singular values equal is where a norm of many is largest, and 0 is no trouble.
  const Tensor axes = at::eye(128);
  EXPECT_NEAR(spectral_bound(axes).item<double>(), std::pow(128.0, 1.0 / 256.0), 1e-4);
  EXPECT_EQ(spectral_bound(at::zeros({4, 4})).item<float>(), 0.0F);
}

TEST(Contraction, NeitherSlopesNorDistancesPassTheLipschitzBound) {
  const at::NoGradGuard plain;
  for (const double lipschitz : {0.5, 0.97}) {
    Parameters parameters;
    const Contraction net(Scope(parameters), 6, 0, {32, 3, lipschitz});
    perturb(parameters, 1.0);  // far beyond the bound before matrices are divided
    const auto matrices = net.matrices();
    const Tensor x = 3.0 * normal_tensor({512, 6}, 1);
    const auto passed = net.pass(matrices, x, {}, true);
    const Tensor jacobian = Contraction::along(matrices, passed.slopes, at::eye(6).unsqueeze(0));
    const double most = at::linalg_svdvals(jacobian.to(at::kDouble)).max().item<double>();
    EXPECT_LT(most, lipschitz);
    EXPECT_GT(most, 0.01 * lipschitz);
    const Tensor y = x.flip({0});
    const Tensor apart = (passed.g - net.pass(matrices, y, {}, false).g).norm(2, {1});
    EXPECT_TRUE((apart <= lipschitz * (x - y).norm(2, {1})).all().item<bool>());
  }
}

// A step near the bound, with large parameters and samples far from each other.
TEST(Residual, AHardInverseIsFoundToFloatPrecision) {
  const at::NoGradGuard plain;
  Parameters parameters;
  const Residual step({Scope(parameters), {5}}, {.width = 32, .layers = 2, .lipschitz = 0.98});
  perturb(parameters, 3.0);
  const Tensor x = 10.0 * normal_tensor({256, 5}, 1);
  const Moved there = step.forward(x, {});
  EXPECT_GT((there.x - x).abs().max().item<float>(), 1.0F);
  const Moved back = step.inverse(there.x, {});
  EXPECT_LT((back.x - x).abs().max().item<float>(), 2e-5F);
  EXPECT_LT((back.log_det + there.log_det).abs().max().item<float>(), 1e-4F);
}

TEST(Residual, AnInverseThatDoesNotConvergeIsAnErrorInALine) {
  const at::NoGradGuard plain;
  Parameters parameters;
  const Residual step({Scope(parameters), {5}}, {.lipschitz = 0.99, .iterations = 2});
  perturb(parameters, 3.0);
  const auto code = [&](const Tensor& y) {
    try {
      step.inverse(y, {});
    } catch (const NumericError& error) {
      return error.code();
    }
    return 0;
  };
  EXPECT_EQ(code(normal_tensor({4, 5}, 1)), 4033);
  EXPECT_EQ(code(normal_tensor({4, 5}, 1) / 0.0), 4032);
}

// The mean over rows that differ in what the probes see, far less than in what ln |det| is.
TEST(Residual, TheSeriesEstimatesTheExactLogDeterminantWithoutBias) {
  const at::NoGradGuard plain;
  Parameters exact_parameters, series_parameters;
  ResidualConfig config{.width = 32, .layers = 2, .lipschitz = 0.9};
  const Residual exact({Scope(exact_parameters), {12}}, config);
  config.trace = ResidualTrace::series;
  config.terms = 2;  // so that later ones matter
  const Residual series({Scope(series_parameters), {12}}, config);
  perturb(exact_parameters, 0.5);
  perturb(series_parameters, 0.5);
  const Tensor x = normal_tensor({20000, 12}, 1);
  const Tensor wanted = exact.forward(x, {}).log_det;
  const Tensor far = series.forward(x, {}).log_det - wanted;
  EXPECT_GT(wanted.std().item<double>(), 0.01);
  const double error = far.std().item<double>() / std::sqrt(20000.0);
  EXPECT_NEAR(far.mean().item<double>(), 0.0, 4.0 * error);
  EXPECT_LT(error, 0.02);
  EXPECT_TRUE(at::equal(series.forward(x, {}).log_det, series.forward(x, {}).log_det));
}

// A derivative of the inverse of a sample, by differences.
TEST(Residual, GradientsGoThroughTheInverse) {
  Parameters parameters;
  const Residual step({Scope(parameters), {4}, 2}, {.width = 16, .layers = 2, .lipschitz = 0.9});
  perturb(parameters, 1.0);
  parameters.require_gradients(true);
  const Tensor y = normal_tensor({8, 4}, 1).requires_grad_();
  const Tensor told = normal_tensor({8, 2}, 2), weights = normal_tensor({8, 4}, 3);
  const auto sum = [&] {
    const Moved moved = step.inverse(y, told);
    return (moved.x * weights).sum() + moved.log_det.sum();
  };
  {
    const at::AutoGradMode graph(true);
    const Tensor total = sum();
    const at::AutoGradMode plain(false);
    torch::autograd::backward({total}, {at::ones_like(total)});
  }
  const at::NoGradGuard plain;
  const auto check = [&](const Tensor& numbers, const Tensor& gradient) {
    const double norm = gradient.norm().item<double>(), size = 1e-2;
    ASSERT_GT(norm, 0.1);
    numbers.add_(gradient, size / norm);
    const double above = sum().item<double>();
    numbers.add_(gradient, -2.0 * size / norm);
    const double below = sum().item<double>();
    numbers.add_(gradient, size / norm);
    EXPECT_NEAR((above - below) / (2.0 * size), norm, 0.02 * norm);
  };
  check(y, y.grad().clone());
  check(parameters.values(), parameters.gradients().clone());
}

}  // namespace
}  // namespace gradatim::neural
