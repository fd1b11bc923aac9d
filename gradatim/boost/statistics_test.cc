#include "gradatim/boost/statistics.h"

#include <gtest/gtest.h>

#include "gradatim/boost/testing.h"
#include "gradatim/core/parallel.h"

namespace gradatim::boost {
namespace {

using namespace testing;

constexpr std::int64_t kPackedRows = (1 << 16) + 1;  // the fewest that are not wide

Statistics quantised(const std::vector<float>& g, const std::vector<float>& h,
                     const std::vector<float>& weight = {}, const QuantiseOptions& options = {}) {
  Statistics out;
  quantise(g, h, weight, options, out);
  return out;
}

struct Gradients {
  std::vector<float> g, h;
};

Gradients random_gradients(std::int64_t rows, std::uint64_t seed) {
  Random r(seed);
  Gradients all;
  for (std::int64_t i = 0; i < rows; ++i) {
    all.g.push_back(static_cast<float>(r.uniform() * 2 - 1));
    all.h.push_back(static_cast<float>(r.uniform()));
  }
  return all;
}

TEST(CeilLog2, IsExactAtPowersOfTwo) {
  EXPECT_EQ(ceil_log2(1.0), 0);
  EXPECT_EQ(ceil_log2(std::nextafter(1.0, 2.0)), 1);
  EXPECT_EQ(ceil_log2(0.25), -2);
  EXPECT_EQ(ceil_log2(0.26), -1);
  EXPECT_EQ(ceil_log2(5e-324), -1074);
}

TEST(Quantise, FineIsTheNearestIntegerTiesToEven) {
  // The largest is 2^30, so a unit is 2^-30; halves of it are ties.
  const std::vector<float> g = {1.0F, -1.0F, 0x1p-31F, 0x3p-31F, -0x1p-31F, -0x3p-31F, 0x1.8p-31F};
  const auto s = quantised(g, std::vector<float>(g.size(), 0.5F));
  EXPECT_EQ(s.fine_units.g, 0x1p-30);
  const std::int32_t expected[] = {1 << 30, -(1 << 30), 0, 2, 0, -2, 1};
  for (std::size_t i = 0; i < g.size(); ++i) {
    EXPECT_EQ(s.rows[i].fine.g, expected[i]) << i;
    EXPECT_EQ(s.rows[i].fine.h * s.fine_units.h, 0.5);
  }
}

TEST(Quantise, FineUsesThirtyBitsOfTheLargestWeightedValue) {
  const auto all = random_gradients(5000, 1);
  std::vector<float> weight;
  Random r(2);
  for (int i = 0; i < 5000; ++i) weight.push_back(static_cast<float>(100 * r.uniform()));
  const auto s = quantised(all.g, all.h, weight);
  std::int32_t most = 0;
  for (std::size_t i = 0; i < all.g.size(); ++i) {
    most = std::max(most, std::abs(s.rows[i].fine.g));
    const double wg = double{all.g[i]} * double{weight[i]};
    const double wh = double{all.h[i]} * double{weight[i]};
    EXPECT_EQ(s.rows[i].fine.g, std::nearbyint(wg / s.fine_units.g));
    EXPECT_EQ(s.rows[i].fine.h, std::nearbyint(wh / s.fine_units.h));
  }
  EXPECT_GT(most, 1 << 29);
  EXPECT_LE(most, 1 << 30);
}

TEST(Quantise, SmallestAndLargestGradientsKeepTheirBits) {
  const std::vector<float> tiny = {0x1p-149F, -0x1p-149F};
  EXPECT_EQ(quantised(tiny, {1, 1}).rows[1].fine.g, -(1 << 30));
  const std::vector<float> huge = {0x1p127F, 0x1p126F};
  const auto s = quantised(huge, {1, 1}, {0x1p127F, 0x1p127F});
  EXPECT_EQ(s.rows[1].fine.g, 1 << 29);
  EXPECT_EQ(s.rows[0].fine.g * s.fine_units.g, 0x1p254);
  EXPECT_EQ(quantised({0, 0}, {0, 0}).rows[0].fine.g, 0);
}

TEST(Quantise, AConstantHessianIsTheIntegerOne) {
  const auto all = random_gradients(kPackedRows, 3);
  const std::vector<float> ones(all.g.size(), 1.0F);
  const auto s = quantised(all.g, ones, {}, {.constant_hessian = true});
  ASSERT_FALSE(s.wide);
  EXPECT_TRUE(s.constant_hessian);
  EXPECT_EQ(s.fine_units.h, 1.0);
  EXPECT_EQ(s.coarse_units.h, 1.0);
  for (std::size_t i = 0; i < ones.size(); i += 97) {
    EXPECT_EQ(s.rows[i].fine.h, 1);
    EXPECT_EQ(s.rows[i].coarse.h, 1);
  }
  EXPECT_FALSE(quantised({1, 1}, {1, 1}, {1, 2}, {.constant_hessian = true}).constant_hessian)
      << "with weights it is w";
}

TEST(Quantise, IsWideWhereCellsCouldNotHoldTheSums) {
  const auto wide = [](std::int64_t rows, bool force = false) {
    const std::vector<float> ones(static_cast<std::size_t>(rows), 1.0F);
    return quantised(ones, ones, {}, {.force_wide = force}).wide;
  };
  EXPECT_TRUE(wide(10));
  EXPECT_TRUE(wide(1 << 16));
  EXPECT_FALSE(wide((1 << 16) + 1));
  EXPECT_TRUE(wide((1 << 16) + 1, true));
  EXPECT_FALSE(wide(1 << 22));
  EXPECT_TRUE(wide((1 << 22) + 1));
}

TEST(CoarseBits, LeaveRoomForTheSumOfAllRows) {
  EXPECT_EQ(coarse_bits(2), 14);
  EXPECT_EQ(coarse_bits(1 << 16), 14);
  EXPECT_EQ(coarse_bits((1 << 16) + 1), 13);
  EXPECT_EQ(coarse_bits(1 << 22), 8);
  EXPECT_EQ(coarse_bits(std::int64_t{1} << 40), 8);
}

// Rows 2 i and 2 i + 1 share a Philox block; low words round g, high words round h.
TEST(Quantise, CoarseIsFinePlusAPhiloxDrawShifted) {
  for (const std::int64_t rows : {kPackedRows, kPackedRows + 4095}) {
    const auto all = random_gradients(rows, 4);
    const std::uint64_t seed = 0x123456789ABCDEFULL;
    const auto s = quantised(all.g, all.h, {}, {.seed = seed, .draw = 7});
    const int shift = 30 - coarse_bits(rows);
    const std::int64_t mask = (std::int64_t{1} << shift) - 1;
    const Philox random(seed, Stream::rounding, 7);
    EXPECT_EQ(s.coarse_units.g, std::ldexp(s.fine_units.g, shift));
    EXPECT_EQ(s.coarse_units.h, std::ldexp(s.fine_units.h, shift));
    for (std::int64_t row = 0; row < rows; ++row) {
      const auto block = random.block(static_cast<std::uint64_t>(row / 2));
      const std::int64_t low = block[row % 2 == 0 ? 0 : 2];
      const std::int64_t high = block[row % 2 == 0 ? 1 : 3];
      ASSERT_EQ(s.rows[row].coarse.g, (s.rows[row].fine.g + (low & mask)) >> shift);
      ASSERT_EQ(s.rows[row].coarse.h, (s.rows[row].fine.h + (high & mask)) >> shift);
    }
  }
}

TEST(Quantise, CoarseIsUnbiasedOverDraws) {
  const auto all = random_gradients(kPackedRows, 5);
  constexpr int kDraws = 64;
  constexpr int kRows = 400;
  double g_error = 0.0;
  double h_error = 0.0;
  for (int draw = 0; draw < kDraws; ++draw) {
    const auto s = quantised(all.g, all.h, {}, {.draw = static_cast<std::uint32_t>(draw)});
    for (int row = 0; row < kRows; ++row) {
      const double step = s.coarse_units.g / s.fine_units.g;
      g_error += static_cast<double>(s.rows[row].coarse.g) - s.rows[row].fine.g / step;
      h_error += static_cast<double>(s.rows[row].coarse.h) - s.rows[row].fine.h / step;
    }
  }
  // One draw's error is within 1 and has a deviation of at most 1/2.
  const double sigma = 0.5 * std::sqrt(double{kDraws * kRows});
  EXPECT_LT(std::abs(g_error), 4 * sigma);
  EXPECT_LT(std::abs(h_error), 4 * sigma);
}

TEST(Quantise, WhatIsNotANumberOrCurvesDownIsAnError) {
  constexpr float kBad = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  EXPECT_EQ(code_of([&] { quantised({1, nan}, {1, 1}); }), 4001);
  EXPECT_EQ(code_of([&] { quantised({1, -kBad}, {1, 1}); }), 4001);
  EXPECT_EQ(code_of([&] { quantised({1, 1}, {1, nan}); }), 4001);
  EXPECT_EQ(code_of([&] { quantised({1, 1}, {kBad, 1}); }), 4001);
  EXPECT_EQ(code_of([&] { quantised({1, 1}, {1, -1e-9F}); }), 4001);
  EXPECT_EQ(code_of([&] { quantised({1, 1}, {1, 0}); }), 0);
}

TEST(Quantise, OutliersAreSeenWhereTheyWouldCostTheRestItsBits) {
  // 10 bits: wide from max > 2^7 rms on. One outlier among N rows has rms >= max / sqrt(N), so
  // that up to 2^18 rows none can be one.
  auto all = random_gradients((1 << 19) + 1, 6);
  EXPECT_FALSE(quantised(all.g, all.h).outliers);
  all.g[77] = 1e5F;
  EXPECT_TRUE(quantised(all.g, all.h).outliers);
  EXPECT_FALSE(quantised({1, 1e-9F}, {1, 1}).outliers) << "few rows are wide anyway";
}

TEST(Quantise, IsTheSameOnAnyNumberOfThreads) {
  const auto all = random_gradients(kPackedRows + 1234, 8);
  auto run = [&](int threads) {
    const ThreadScope scope(threads);
    std::vector<Coarse> coarse;
    for (const auto& row : quantised(all.g, all.h, {}, {.seed = 3}).rows) {
      coarse.push_back(row.coarse);
    }
    return coarse;
  };
  EXPECT_EQ(run(1), run(4));
}

void expect_equal(const Statistics& a, const Statistics& b) {
  ASSERT_EQ(a.rows.size(), b.rows.size());
  EXPECT_EQ(a.fine_units.g, b.fine_units.g);
  EXPECT_EQ(a.fine_units.h, b.fine_units.h);
  EXPECT_EQ(a.coarse_units.g, b.coarse_units.g);
  EXPECT_EQ(a.wide, b.wide);
  EXPECT_EQ(a.constant_hessian, b.constant_hessian);
  EXPECT_EQ(a.outliers, b.outliers);
  for (std::size_t i = 0; i < a.rows.size(); ++i) {
    ASSERT_EQ(a.rows[i].fine.g, b.rows[i].fine.g) << i;
    ASSERT_EQ(a.rows[i].fine.h, b.rows[i].fine.h) << i;
    ASSERT_TRUE(a.wide || a.rows[i].coarse == b.rows[i].coarse) << i;
  }
}

TEST(Quantise, GradientsThatAreNotKeptGiveTheSame) {
  for (const std::int64_t rows : {std::int64_t{1}, std::int64_t{5000}, kPackedRows + 1234}) {
    const auto all = random_gradients(rows, 9);
    const std::vector<float> weight(all.h.rbegin(), all.h.rend());
    const auto copy = [&](std::int64_t begin, std::int64_t end, float* g, float* h) {
      std::copy(all.g.begin() + begin, all.g.begin() + end, g);
      std::copy(all.h.begin() + begin, all.h.begin() + end, h);
    };
    for (const auto& w : {std::vector<float>(), weight}) {
      Statistics made;
      quantise_made(rows, copy, w, {.seed = 3, .draw = 5}, made);
      expect_equal(quantised(all.g, all.h, w, {.seed = 3, .draw = 5}), made);
    }
  }
}

TEST(Quantise, HessiansLeftOutAreOnes) {
  const auto all = random_gradients(kPackedRows + 1, 10);
  const std::vector<float> ones(all.g.size(), 1.0F);
  for (const auto& w : {std::vector<float>(), all.h}) {
    for (const bool constant : {false, true}) {
      const QuantiseOptions options{.seed = 1, .constant_hessian = constant};
      expect_equal(quantised(all.g, ones, w, options), quantised(all.g, {}, w, options));
    }
  }
}

}  // namespace
}  // namespace gradatim::boost
