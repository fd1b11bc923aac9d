#include "gradatim/core/gauss_legendre.h"

#include <gtest/gtest.h>

#include <cmath>

namespace gradatim {
namespace {

TEST(GaussLegendre, IntegratesPolynomialsExactly) {
  for (int points = 1; points <= 64; ++points) {
    const Quadrature rule = gauss_legendre(points);
    for (int degree = 0; degree < 2 * points; ++degree) {
      double sum = 0.0;
      for (int i = 0; i < points; ++i) sum += rule.weight[i] * std::pow(rule.at[i], degree);
      EXPECT_NEAR(sum * (degree + 1), 1.0, 1e-12) << points << " points, degree " << degree;
    }
  }
}

TEST(GaussLegendre, IsNotExactBeyond) {
  const Quadrature rule = gauss_legendre(2);
  double sum = 0.0;
  for (int i = 0; i < 2; ++i) sum += rule.weight[i] * std::pow(rule.at[i], 4);
  EXPECT_GT(std::abs(sum - 0.2), 1e-3);
}

TEST(GaussLegendre, PointsAscendWithinTheInterval) {
  const Quadrature rule = gauss_legendre(9);
  double before = 0.0;
  for (const double t : rule.at) {
    EXPECT_GT(t, before);
    before = t;
  }
  EXPECT_LT(before, 1.0);
  EXPECT_EQ(rule.at[4], 0.5);
}

}  // namespace
}  // namespace gradatim
