#include "gradatim/core/exact_sum.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "gradatim/core/philox.h"

namespace gradatim {
namespace {

constexpr double kMax = std::numeric_limits<double>::max();
constexpr double kMin = 0x1p-1074;  // the smallest subnormal
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::uint64_t bits_of(double x) { return std::bit_cast<std::uint64_t>(x); }

double sum_of(const std::vector<double>& values) {
  ExactSum sum;
  for (const double x : values) sum.add(x);
  return sum.value();
}

// Any finite double, all exponents alike.
double any_finite(const Philox& random, std::uint64_t i) {
  std::uint64_t bits = random.bits(i);
  if (((bits >> 52) & 0x7FF) == 0x7FF) bits &= ~(1ULL << 62);
  return std::bit_cast<double>(bits);
}

void shuffle(std::vector<double>& values, const Philox& random) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[random.below(static_cast<std::uint32_t>(i), i)]);
  }
}

TEST(ExactSum, IsZeroBeforeAnythingIsAdded) {
  EXPECT_EQ(bits_of(ExactSum().value()), bits_of(0.0));
  EXPECT_EQ(bits_of(sum_of({-0.0, -0.0})), bits_of(0.0)) << "there is one zero";
}

TEST(ExactSum, OfOneValueIsThatValue) {
  const Philox random(3, Stream::noise);
  for (std::uint64_t i = 0; i < 20000; ++i) {
    const double x = any_finite(random, i);
    ASSERT_EQ(bits_of(sum_of({x})), bits_of(x)) << x;
  }
  for (const double x : {kMin, -kMin, 0x1p-1022, 0x1p-1022 - kMin, kMax, -kMax, 1.0}) {
    EXPECT_EQ(bits_of(sum_of({x})), bits_of(x)) << x;
  }
}

TEST(ExactSum, OfTwoValuesIsTheirIeeeSum) {
  // One IEEE addition is correctly rounded too. Exponents near each other make every alignment.
  const Philox random(4, Stream::noise);
  for (std::uint64_t i = 0; i < 50000; ++i) {
    const double x = any_finite(random, 2 * i);
    const double y = std::ldexp(
        any_finite(random, 2 * i + 1) < 0 ? -1.0 - random.uniform(i) : 1.0 + random.uniform(i),
        std::ilogb(x) + static_cast<int>(random.below(130, i)) - 65);
    if (!std::isfinite(y) || x + y == 0.0) continue;
    ASSERT_EQ(bits_of(sum_of({x, y})), bits_of(x + y)) << x << " " << y;
  }
}

TEST(ExactSum, HasEqualBitsInEveryOrderAndGrouping) {
  const Philox random(5, Stream::noise);
  for (std::uint32_t trial = 0; trial < 50; ++trial) {
    std::vector<double> values;
    for (std::uint64_t i = 0; i < 200; ++i) {
      // Scaled down so that the exact sum is finite; exponents of every kind.
      values.push_back(any_finite(random, 1000 * trial + i) * 0x1p-10);
    }
    const std::uint64_t expected = bits_of(sum_of(values));
    for (std::uint32_t permutation = 0; permutation < 5; ++permutation) {
      shuffle(values, Philox(trial, Stream::rows, permutation));
      ASSERT_EQ(bits_of(sum_of(values)), expected);
      // Groups of random sizes, some empty, combined from the right.
      std::vector<ExactSum> groups(1 + random.below(9, 7 * trial + permutation));
      const auto count = static_cast<std::uint32_t>(groups.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        groups[random.below(count, 31 * i + permutation)].add(values[i]);
      }
      ExactSum total;
      for (auto group = groups.rbegin(); group != groups.rend(); ++group) total.add(*group);
      ASSERT_EQ(bits_of(total.value()), expected);
      ASSERT_EQ(bits_of(total.value()), expected) << "value() changes nothing";
    }
  }
}

TEST(ExactSum, AgreesWithA128BitReference) {
  // Multiples of 2^-40 below 2^40: their sum is an exact 128-bit integer.
  const Philox random(6, Stream::noise);
  ExactSum sum;
  __extension__ __int128 reference = 0;
  for (std::uint64_t i = 0; i < 100000; ++i) {
    const auto units = static_cast<std::int64_t>(random.bits(i)) >> (11 + random.below(50, i));
    sum.add(std::ldexp(static_cast<double>(units), -40));
    reference += units;
    if (i % 1000 == 0) {
      // The conversion rounds to nearest even.
      ASSERT_EQ(sum.value(), std::ldexp(static_cast<double>(reference), -40)) << i;
    }
  }
}

TEST(ExactSum, CancelsExactly) {
  EXPECT_EQ(sum_of({1e308, 1.0, -1e308}), 1.0);
  EXPECT_EQ(sum_of({1.0, 1e100, 1.0, -1e100}), 2.0);
  EXPECT_EQ(sum_of({kMax, kMin, -kMax}), kMin);
  EXPECT_EQ(sum_of({-kMax, -kMin, kMax}), -kMin);
  EXPECT_EQ(bits_of(sum_of({1e308, -1e308})), bits_of(0.0));
  EXPECT_EQ(sum_of({0.1, 0.2, -0.3}), 0x1p-55) << "0.1 + 0.2 - 0.3, of the doubles so called";
}

TEST(ExactSum, AddsSubnormals) {
  EXPECT_EQ(sum_of({kMin, kMin}), 2 * kMin);
  EXPECT_EQ(sum_of({0x1p-1022 - kMin, kMin}), 0x1p-1022) << "across the border to normal numbers";
  EXPECT_EQ(sum_of({0x1p-1022, -kMin}), 0x1p-1022 - kMin);
  EXPECT_EQ(sum_of({3 * kMin, -5 * kMin}), -2 * kMin);
}

TEST(ExactSum, RoundsHalfWayCasesToEven) {
  constexpr double kHalf = 0x1p-53;  // half a unit in the last place of 1
  EXPECT_EQ(sum_of({1.0, kHalf}), 1.0);
  EXPECT_EQ(sum_of({1.0 + 0x1p-52, kHalf}), 1.0 + 0x1p-51);
  EXPECT_EQ(sum_of({-1.0, -kHalf}), -1.0);
  EXPECT_EQ(sum_of({-1.0 - 0x1p-52, -kHalf}), -1.0 - 0x1p-51);
  // A bit however far below decides.
  EXPECT_EQ(sum_of({1.0, kHalf, kMin}), 1.0 + 0x1p-52);
  EXPECT_EQ(sum_of({1.0 + 0x1p-52, kHalf, -kMin}), 1.0 + 0x1p-52);
  EXPECT_EQ(sum_of({-1.0, -kHalf, -kMin}), -1.0 - 0x1p-52);
  EXPECT_EQ(sum_of({2.0 - 0x1p-52, kHalf}), 2.0) << "a carry into the next exponent";
  // Unlike in a running double, halves add up.
  EXPECT_EQ(sum_of({1.0, kHalf, kHalf}), 1.0 + 0x1p-52);
}

TEST(ExactSum, BeyondTheLargestDoubleIsInfiniteAndComesBack) {
  constexpr double kHalf = 0x1p970;  // half a unit in the last place of the largest double
  EXPECT_EQ(sum_of({kMax, kMax}), kInfinity);
  EXPECT_EQ(sum_of({-kMax, -kMax}), -kInfinity);
  EXPECT_EQ(sum_of({kMax, kHalf}), kInfinity) << "the tie goes to even, which is beyond";
  EXPECT_EQ(sum_of({kMax, kHalf, -kMin}), kMax);
  EXPECT_EQ(sum_of({kMax, kHalf / 2}), kMax);
  EXPECT_EQ(sum_of({kMax, kMax, -kMax}), kMax) << "an intermediate overflow is no overflow";
  ExactSum sum;
  for (int i = 0; i < 100000; ++i) sum.add(kMax);
  EXPECT_EQ(sum.value(), kInfinity);
  for (int i = 0; i < 199999; ++i) sum.add(-kMax);
  EXPECT_EQ(sum.value(), -kInfinity);
  for (int i = 0; i < 99999; ++i) sum.add(kMax);
  EXPECT_EQ(sum.value(), 0.0);
}

TEST(ExactSum, OfDoubledSumsStaysExactBeyondAnyCount) {
  // 2^40 times 1 + 2^-52, by doubling: the carries of 2^40 additions.
  ExactSum sum;
  sum.add(1.0 + 0x1p-52);
  for (int i = 0; i < 40; ++i) {
    const ExactSum copy = sum;
    sum.add(copy);
  }
  EXPECT_EQ(sum.value(), 0x1p40 * (1.0 + 0x1p-52));
  sum.add(sum);
  EXPECT_EQ(sum.value(), 0x1p41 * (1.0 + 0x1p-52)) << "a sum may be added to itself";
}

TEST(ExactSum, OfInfinityOrNanIsNanForEver) {
  EXPECT_TRUE(std::isnan(sum_of({1.0, kInfinity})));
  EXPECT_TRUE(std::isnan(sum_of({std::nan(""), 1.0})));
  EXPECT_TRUE(std::isnan(sum_of({kInfinity, -kInfinity, 1.0})));
  ExactSum bad;
  bad.add(kInfinity);
  ExactSum good;
  good.add(1.0);
  good.add(bad);
  EXPECT_TRUE(std::isnan(good.value()));
}

}  // namespace
}  // namespace gradatim
