#include "gradatim/core/normal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "gradatim/core/simd.h"

namespace gradatim {
namespace {

TEST(Normals, FollowTheFormulaOfBoxAndMuller) {
  const Philox draws(11, Stream::noise, 2);
  std::vector<double> z(40);
  normals(draws, 8, z);
  for (std::uint64_t k = 0; k < 10; ++k) {
    const PhiloxBlock block = draws.block(2 + k);
    for (std::size_t j = 0; j < 2; ++j) {
      const double radius = std::sqrt(-2.0 * std::log((block[2 * j] + 0.5) * 0x1p-32));
      const double angle = 2.0 * std::numbers::pi * (block[2 * j + 1] * 0x1p-32);
      EXPECT_NEAR(z[4 * k + 2 * j], radius * std::cos(angle), 1e-14);
      EXPECT_NEAR(z[4 * k + 2 * j + 1], radius * std::sin(angle), 1e-14);
    }
  }
}

TEST(Normals, HaveTheMomentsAndTheDistributionOfANormal) {
  constexpr std::size_t kCount = 1 << 20;
  std::vector<double> z(kCount);
  normals(Philox(3, Stream::noise), 0, z);
  double power[5] = {};
  for (const double v : z) {
    double p = 1.0;
    for (double& sum : power) sum += p *= v;
  }
  const double root = std::sqrt(static_cast<double>(kCount));
  // Five standard errors: sqrt(1, 2, 15, 96, 945) / root.
  EXPECT_NEAR(power[0] / kCount, 0.0, 5.0 / root);
  EXPECT_NEAR(power[1] / kCount, 1.0, 5.0 * std::sqrt(2.0) / root);
  EXPECT_NEAR(power[2] / kCount, 0.0, 5.0 * std::sqrt(15.0) / root);
  EXPECT_NEAR(power[3] / kCount, 3.0, 5.0 * std::sqrt(96.0) / root);
  std::sort(z.begin(), z.end());
  double distance = 0.0;
  for (std::size_t i = 0; i < kCount; ++i) {
    const double below = 0.5 * std::erfc(-z[i] / std::numbers::sqrt2);
    distance = std::max(distance, std::abs(below - (i + 0.5) / kCount));
  }
  EXPECT_LT(distance, 1.95 / root);  // Kolmogorov and Smirnov at one in a thousand
}

TEST(Normals, AnyPartIsTheSameOnEveryTarget) {
  const Philox draws(5, Stream::prior);
  std::vector<double> whole(1003), part(131);
  normals(draws, 0, whole);
  normals(draws, 64, part);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 64));
  for (const Simd most : {Simd::portable, Simd::avx2}) {
    const SimdLimit limit(most);
    std::vector<double> again(whole.size());
    normals(draws, 0, again);
    EXPECT_EQ(again, whole);
  }
}

TEST(Normals, ARowIsTheSameWhateverElseIsDrawn) {
  const Philox draws(9, Stream::prior, 1);
  for (const std::size_t dims : {1U, 2U, 3U, 4U, 7U, 63U, 65U, 130U}) {
    const std::size_t width = (dims + 3) / 4 * 4;
    std::vector<double> rows(301 * dims), row(dims);
    normal_rows(draws, 5, dims, rows);
    for (std::size_t k = 0; k < 301; ++k) {
      normals(draws, width * (5 + k), row);
      EXPECT_TRUE(std::equal(row.begin(), row.end(), rows.data() + k * dims)) << dims << " " << k;
    }
  }
}

}  // namespace
}  // namespace gradatim
