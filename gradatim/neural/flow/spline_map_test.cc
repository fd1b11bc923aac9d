#include "gradatim/neural/flow/spline_map.h"

#include <gtest/gtest.h>

#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural {
namespace {

using testing::normal_tensor;

constexpr double kBound = 3.0;
constexpr std::int64_t kBins = 5;

struct Passed {
  Moved moved;
  Tensor by_x, by_parameters;  // gradients of a loss in which all that comes out has its own weight
};

template <class Pass>
Passed passed(const Tensor& x, const Tensor& parameters, const Pass& pass) {
  const at::AutoGradMode graph(true);
  const Tensor at = x.clone().requires_grad_(), told = parameters.clone().requires_grad_();
  const Moved moved = pass(at, told);
  const Tensor loss = (moved.x * normal_tensor(x.sizes().vec(), 21).to(x.scalar_type())).sum() +
                      (moved.log_det * normal_tensor({x.size(0)}, 22).to(x.scalar_type())).sum();
  const auto by = torch::autograd::grad({loss}, {at, told});
  return {{moved.x.detach(), moved.log_det.detach()}, by[0], by[1]};
}

double far(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}
// As a share of the largest.
double apart(const Tensor& a, const Tensor& b) { return far(a, b) / b.abs().max().item<double>(); }

// The kernel against torch in double precision.
void expect_same(const Tensor& x, const Tensor& parameters, bool inverse, double tolerance) {
  const auto map = spline_map(kBins, kBound);
  const Passed own = passed(x, parameters, [&](const Tensor& at, const Tensor& told) {
    return inverse ? map->inverse(at, told) : map->forward(at, told);
  });
  const Passed plain = passed(x.to(at::kDouble), parameters.to(at::kDouble),
                              [&](const Tensor& at, const Tensor& told) {
                                return plain_spline(at, told, kBound, inverse);
                              });
  EXPECT_LT(far(own.moved.x, plain.moved.x), tolerance);
  EXPECT_LT(far(own.moved.log_det, plain.moved.log_det), 20.0 * tolerance);
  EXPECT_LT(apart(own.by_x, plain.by_x), 10.0 * tolerance);
  EXPECT_LT(apart(own.by_parameters, plain.by_parameters), 10.0 * tolerance);
}

class SplineSizes : public ::testing::TestWithParam<std::pair<std::int64_t, std::int64_t>> {};

TEST_P(SplineSizes, ValuesAndGradientsAreThoseOfTorch) {
  const auto [rows, numbers] = GetParam();
  const Tensor x = normal_tensor({rows, numbers}, 1) * 2.0;
  const Tensor parameters = normal_tensor({rows, 3 * kBins - 1, numbers}, 2);
  expect_same(x, parameters, false, 1e-5);
  expect_same(x, parameters, true, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(All, SplineSizes,
                         ::testing::Values(std::pair(1, 1), std::pair(64, 1), std::pair(300, 1),
                                           std::pair(7, 3), std::pair(50, 30), std::pair(3, 200)));

TEST(SplineMap, ThreadsChangeNothing) {
  const Tensor x = normal_tensor({4000, 3}, 1), told = normal_tensor({4000, 3 * kBins - 1, 3}, 2);
  const auto map = spline_map(kBins, kBound);
  const auto pass = [&](const Tensor& at, const Tensor& by) { return map->forward(at, by); };
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Passed one = passed(x, told, pass);
  at::set_num_threads(2);
  const Passed two = passed(x, told, pass);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.moved.x, two.moved.x));
  EXPECT_TRUE(at::equal(one.by_parameters, two.by_parameters));
}

TEST(SplineMap, ParametersOfZeroAreTheIdentity) {
  const Tensor x = at::linspace(-4.0, 4.0, 401).unsqueeze(1);
  const Moved moved = spline_map(kBins, kBound)->forward(x, at::zeros({401, 3 * kBins - 1, 1}));
  EXPECT_LT(far(moved.x, x), 1e-6);
  EXPECT_LT(moved.log_det.abs().max().item<float>(), 1e-5F);
}

TEST(SplineMap, BeyondTheBoundNumbersStay) {
  const float huge = std::numeric_limits<float>::max();
  const float infinity = std::numeric_limits<float>::infinity();
  const Tensor x = at::tensor({-infinity, -huge, -3.0001F, 3.0001F, 50.0F, huge, infinity});
  const Tensor told = normal_tensor({7, 3 * kBins - 1, 1}, 3);
  const auto map = spline_map(kBins, kBound);
  for (const Moved& moved :
       {map->forward(x.unsqueeze(1), told), map->inverse(x.unsqueeze(1), told)}) {
    EXPECT_TRUE(at::equal(moved.x.squeeze(1), x));
    EXPECT_EQ(moved.log_det.abs().max().item<float>(), 0.0F);
  }
}

TEST(SplineMap, ANumberThatIsNoneStaysNone) {
  const Tensor x = at::full({1, 1}, std::numeric_limits<float>::quiet_NaN());
  const Tensor told = normal_tensor({1, 3 * kBins - 1, 1}, 3);
  EXPECT_TRUE(at::isnan(spline_map(kBins, kBound)->forward(x, told).x).all().item<bool>());
  EXPECT_TRUE(at::isnan(spline_map(kBins, kBound)->inverse(x, told).x).all().item<bool>());
}

// One curve, seen at many places.
Tensor repeated(const Tensor& curve, std::int64_t rows) {
  return curve.expand({rows, curve.size(1), 1}).contiguous();
}

TEST(SplineMap, IncreasesAndReachesItsBounds) {
  const auto map = spline_map(kBins, kBound);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Tensor curve = normal_tensor({1, 3 * kBins - 1, 1}, seed) * 3.0;
    const Tensor x = at::linspace(-kBound, kBound, 5001).unsqueeze(1);
    const Tensor y = map->forward(x, repeated(curve, 5001)).x.squeeze(1);
    const Tensor rise = y.slice(0, 1) - y.slice(0, 0, 5000);
    EXPECT_GT(rise.min().item<float>(), -1e-6F);
    EXPECT_NEAR(y[0].item<float>(), -kBound, 1e-6);
    EXPECT_NEAR(y[5000].item<float>(), kBound, 1e-6);
    // Slopes at the ends are 1, as beyond them.
    const Moved ends = map->forward(at::tensor({-3.0F, 3.0F}).unsqueeze(1), repeated(curve, 2));
    EXPECT_LT(ends.log_det.abs().max().item<float>(), 1e-5F);
  }
}

// At the knots themselves, and beside them.
TEST(SplineMap, KnotsAreContinuousInValueAndSlope) {
  const auto map = spline_map(kBins, kBound);
  const Tensor curve = normal_tensor({1, 3 * kBins - 1, 1}, 4);
  const Tensor shares = at::softmax(curve.narrow(1, 0, kBins).flatten(), 0) * 0.995 + 0.001;
  const Tensor knots = (at::cumsum(shares, 0).narrow(0, 0, kBins - 1) * 6.0 - 3.0).unsqueeze(1);
  const Tensor told = repeated(curve, kBins - 1);
  const Moved below = map->forward(knots - 1e-5, told), at = map->forward(knots, told),
              above = map->forward(knots + 1e-5, told);
  EXPECT_LT(far(below.x, at.x), 2e-4);
  EXPECT_LT(far(above.x, at.x), 2e-4);
  EXPECT_LT(far(below.log_det, above.log_det), 2e-3);
  expect_same(knots + 1e-4, told, false, 1e-5);
  expect_same(knots - 1e-4, told, false, 1e-5);
}

// Parameters of 1e3, or the largest floats: everything is finite, there and back.
TEST(SplineMap, IsFiniteForAnyFiniteParameters) {
  const auto map = spline_map(kBins, kBound);
  const std::int64_t rows = 2000;
  const Tensor x = at::linspace(-3.5, 3.5, rows).unsqueeze(1);
  for (const double size : {1e3, 1e10, 1e38}) {
    const Tensor told = (normal_tensor({rows, 3 * kBins - 1, 1}, 5) * size).clamp(-3e38, 3e38);
    for (const bool inverse : {false, true}) {
      const Passed own = passed(x, told, [&](const Tensor& at, const Tensor& by) {
        return inverse ? map->inverse(at, by) : map->forward(at, by);
      });
      EXPECT_TRUE(at::isfinite(own.moved.x).all().item<bool>()) << size;
      EXPECT_TRUE(at::isfinite(own.moved.log_det).all().item<bool>()) << size;
      EXPECT_TRUE(at::isfinite(own.by_x).all().item<bool>()) << size;
      EXPECT_TRUE(at::isfinite(own.by_parameters).all().item<bool>()) << size;
      EXPECT_LE(own.moved.x.abs().max().item<float>(), 3.5F);
    }
  }
}

// A flat part squeezes numbers beyond what floats tell apart; what comes back has their image.
TEST(SplineMap, TheInverseLeadsBackAtExtremeParameters) {
  const auto map = spline_map(kBins, kBound);
  const std::int64_t rows = 2000;
  const Tensor x = at::linspace(-3.0, 3.0, rows).unsqueeze(1);
  const Tensor told = normal_tensor({rows, 3 * kBins - 1, 1}, 6) * 1e3;
  const Tensor y = map->forward(x, told).x;
  const Tensor again = map->forward(map->inverse(y, told).x, told).x;
  EXPECT_LT(far(again, y), 1e-3);
}

}  // namespace
}  // namespace gradatim::neural
