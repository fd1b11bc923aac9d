#include "gradatim/core/philox.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <set>

namespace gradatim {
namespace {

TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox({0, 0, 0, 0}, 0, 0),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes, kOnes, kOnes}, kOnes, kOnes),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, PutsIndexMinorStreamAndSeedWhereThePromiseHasThem) {
  constexpr Philox random(0x299f31d0a4093822, Stream::noise, 0x13198a2e);
  static_assert(random.block(0x85a308d3243f6a88) ==
                philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 8}, 0xa4093822, 0x299f31d0));
  const PhiloxBlock block = random.block(5);
  EXPECT_EQ(random.bits(5), (std::uint64_t{block[1]} << 32) | block[0]);
  EXPECT_EQ(random.uniform(5), std::ldexp(static_cast<double>(random.bits(5) >> 11), -53));
  EXPECT_EQ(random.below(10, 5), (std::uint64_t{block[0]} * 10) >> 32);
}

TEST(Philox, NumbersOfStreamsAreNeverRenumbered) {
  // Changing one of these changes every model that was trained with it.
  EXPECT_EQ(static_cast<int>(Stream::rounding), 1);
  EXPECT_EQ(static_cast<int>(Stream::rows), 2);
  EXPECT_EQ(static_cast<int>(Stream::columns), 3);
  EXPECT_EQ(static_cast<int>(Stream::quantiles), 4);
  EXPECT_EQ(static_cast<int>(Stream::split), 5);
  EXPECT_EQ(static_cast<int>(Stream::resample), 6);
  EXPECT_EQ(static_cast<int>(Stream::init), 7);
  EXPECT_EQ(static_cast<int>(Stream::noise), 8);
}

TEST(Philox, EveryPartOfTheAddressChangesTheDraw) {
  const std::set<std::uint64_t> draws = {
      Philox(0, Stream::rows, 0).bits(0),         Philox(1, Stream::rows, 0).bits(0),
      Philox(1ULL << 32, Stream::rows).bits(0),   Philox(0, Stream::columns, 0).bits(0),
      Philox(0, Stream::rows, 1).bits(0),         Philox(0, Stream::rows, 0).bits(1),
      Philox(0, Stream::rows, 0).bits(1ULL << 32)};
  EXPECT_EQ(draws.size(), 7U);
}

TEST(Philox, UniformsAreInTheHalfOpenUnitIntervalWithItsMoments) {
  const Philox random(42, Stream::noise);
  constexpr int kDraws = 100000;
  double sum = 0.0;
  double squares = 0.0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform(static_cast<std::uint64_t>(i));
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
  }
  // Five standard errors; the draws are fixed, so this either always or never holds.
  EXPECT_NEAR(sum / kDraws, 0.5, 5.0 * std::sqrt(1.0 / 12.0 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 5.0 * std::sqrt(4.0 / 45.0 / kDraws));
}

TEST(Philox, IntegersBelowABoundAreEvenlySpread) {
  const Philox random(7, Stream::rows);
  std::array<int, 6> counts{};
  constexpr int kDraws = 60000;
  for (std::uint64_t i = 0; i < kDraws; ++i) ++counts.at(random.below(6, i));
  double chi_squared = 0.0;
  for (const int count : counts) chi_squared += std::pow(count - kDraws / 6, 2) / (kDraws / 6.0);
  EXPECT_LT(chi_squared, 20.5);  // 99.9 % of chi squared with 5 degrees of freedom
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(random.below(1, i), 0U);
  EXPECT_LT(random.below(0xffffffff, 3), 0xffffffff);
}

}  // namespace
}  // namespace gradatim
