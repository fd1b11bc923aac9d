#include "gradatim/core/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gradatim/core/philox.h"
#include "gradatim/core/simd.h"

namespace gradatim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The distance from the true value in units of the last place of its nearest double.
double ulps(double value, long double truth) {
  const double nearest = std::fabs(static_cast<double>(truth));
  const double unit = std::nextafter(nearest, kInfinity) - nearest;
  return static_cast<double>(std::fabs(static_cast<long double>(value) - truth) /
                             static_cast<long double>(unit));
}

// The largest distance over even steps from `low` to `high`, jittered.
template <class F, class G>
double worst_ulps(double low, double high, F f, G truth) {
  constexpr int kPoints = 200000;
  const Philox random(9, Stream::noise);
  double worst = 0.0;
  for (std::uint64_t i = 0; i < kPoints; ++i) {
    const double u = (static_cast<double>(i) + random.uniform(i)) / kPoints;
    const double x = low + (high - low) * u;
    worst = std::max(worst, ulps(f(x), truth(static_cast<long double>(x))));
  }
  return worst;
}

long double true_exp(long double x) { return std::exp(x); }
long double true_log(long double x) { return std::log(x); }
long double true_sigmoid(long double x) {
  return x < 0 ? std::exp(x) / (1.0L + std::exp(x)) : 1.0L / (1.0L + std::exp(-x));
}
long double true_softplus(long double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

TEST(Exp, IsWithinTwoUnitsInTheLastPlace) {
  EXPECT_LE(worst_ulps(-708.0, 709.78, math::exp, true_exp), 2.0);
  EXPECT_LE(worst_ulps(-1.0, 1.0, math::exp, true_exp), 2.0);
  EXPECT_LE(worst_ulps(-1e-9, 1e-9, math::exp, true_exp), 2.0);
}

TEST(Exp, KnowsItsSpecialValues) {
  EXPECT_EQ(math::exp(0.0), 1.0);
  EXPECT_EQ(math::exp(-0.0), 1.0);
  EXPECT_EQ(math::exp(kInfinity), kInfinity);
  EXPECT_EQ(math::exp(-kInfinity), 0.0);
  EXPECT_TRUE(std::isnan(math::exp(kNan)));
  EXPECT_LE(ulps(math::exp(709.782712893384), true_exp(709.782712893384)), 2.0);
  EXPECT_TRUE(std::isfinite(math::exp(709.782712893384)));
  EXPECT_EQ(math::exp(std::nextafter(709.782712893384, 710.0)), kInfinity);
  EXPECT_EQ(math::exp(1e300), kInfinity);
  EXPECT_GT(math::exp(-708.0), 0x1p-1022);
  EXPECT_EQ(math::exp(std::nextafter(-708.0, -709.0)), 0.0) << "no subnormal results";
  EXPECT_EQ(math::exp(-1e300), 0.0);
  EXPECT_EQ(math::exp(0x1p-1074), 1.0);
}

TEST(Log, IsWithinTwoUnitsInTheLastPlace) {
  EXPECT_LE(worst_ulps(0x1p-1074, 0x1p-1022, math::log, true_log), 2.0) << "subnormal numbers";
  EXPECT_LE(worst_ulps(1e-300, 1.0, math::log, true_log), 2.0);
  EXPECT_LE(worst_ulps(0.5, 2.0, math::log, true_log), 2.0);
  EXPECT_LE(worst_ulps(0.999999, 1.000001, math::log, true_log), 2.0) << "near 1";
  EXPECT_LE(worst_ulps(1.0, 1e6, math::log, true_log), 2.0);
  // Every exponent.
  auto spread = [](double x) { return std::exp2(x) * 1.1; };
  EXPECT_LE(worst_ulps(
                -1000.0, 1000.0, [&](double x) { return math::log(spread(x)); },
                [&](long double x) { return true_log(spread(static_cast<double>(x))); }),
            2.0);
}

TEST(Log, KnowsItsSpecialValues) {
  EXPECT_EQ(std::bit_cast<std::uint64_t>(math::log(1.0)), 0U);
  EXPECT_EQ(math::log(0.0), -kInfinity);
  EXPECT_EQ(math::log(-0.0), -kInfinity);
  EXPECT_EQ(math::log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(math::log(-1.0)));
  EXPECT_TRUE(std::isnan(math::log(-kInfinity)));
  EXPECT_TRUE(std::isnan(math::log(kNan)));
  EXPECT_LE(ulps(math::log(0x1p-1074), true_log(0x1p-1074L)), 2.0);
  EXPECT_LE(ulps(math::log(std::numeric_limits<double>::max()),
                 true_log(std::numeric_limits<double>::max())),
            2.0);
}

TEST(Sigmoid, IsWithinTwoAndAHalfUnitsInTheLastPlace) {
  EXPECT_LE(worst_ulps(-40.0, 40.0, math::sigmoid, true_sigmoid), 2.5);
  EXPECT_LE(worst_ulps(-708.0, 708.0, math::sigmoid, true_sigmoid), 2.5);
  EXPECT_LE(worst_ulps(-1.0, 1.0, math::sigmoid, true_sigmoid), 2.5);
}

TEST(Sigmoid, KnowsItsSpecialValues) {
  EXPECT_EQ(math::sigmoid(0.0), 0.5);
  EXPECT_EQ(math::sigmoid(kInfinity), 1.0);
  EXPECT_EQ(math::sigmoid(-kInfinity), 0.0);
  EXPECT_EQ(math::sigmoid(1e300), 1.0);
  EXPECT_EQ(math::sigmoid(-1e300), 0.0);
  EXPECT_TRUE(std::isnan(math::sigmoid(kNan)));
}

TEST(Softplus, IsWithinTwoUnitsInTheLastPlace) {
  EXPECT_LE(worst_ulps(-700.0, 700.0, math::softplus, true_softplus), 2.0);
  EXPECT_LE(worst_ulps(-40.0, 40.0, math::softplus, true_softplus), 2.0);
  EXPECT_LE(worst_ulps(-1.0, 1.0, math::softplus, true_softplus), 2.0);
}

TEST(Softplus, KnowsItsSpecialValues) {
  EXPECT_LE(ulps(math::softplus(0.0), std::log(2.0L)), 2.0);
  EXPECT_EQ(math::softplus(kInfinity), kInfinity);
  EXPECT_EQ(math::softplus(-kInfinity), 0.0);
  EXPECT_EQ(math::softplus(1e300), 1e300);
  EXPECT_EQ(math::softplus(-1e300), 0.0);
  EXPECT_TRUE(std::isnan(math::softplus(kNan)));
}

using Loop = void (*)(std::span<double>);

// What a loop makes of values of every kind, in bits; the length is no multiple of a vector.
std::vector<std::uint64_t> bits_of(Loop loop) {
  const Philox random(10, Stream::noise);
  std::vector<double> values = {0.0,
                                -0.0,
                                kInfinity,
                                -kInfinity,
                                709.782712893384,
                                -708.0,
                                -745.2,
                                1e300,
                                -1e300,
                                0x1p-1074,
                                -0x1p-1074,
                                709.8,
                                -709.0,
                                std::nextafter(-708.0, 0.0)};
  for (std::uint64_t i = 0; i < 10001; ++i) values.push_back((random.uniform(i) - 0.5) * 1500.0);
  for (std::uint64_t i = 0; i < 10000; ++i) values.push_back((random.uniform(i) - 0.5) * 10.0);
  loop(values);
  std::vector<std::uint64_t> bits;
  for (const double x : values) bits.push_back(std::bit_cast<std::uint64_t>(x));
  return bits;
}

TEST(Loops, KeepNanAndTakeEmptySpans) {
  std::vector<double> values(9, kNan);
  math::exp_all(values);
  for (const double x : values) EXPECT_TRUE(std::isnan(x));
  math::sigmoid_all(values);
  for (const double x : values) EXPECT_TRUE(std::isnan(x));
  math::exp_all({});
  math::sigmoid_all({});
}

TEST(Loops, GiveTheSameBitsAsTheScalarFormsOnEveryTarget) {
  const auto exps = bits_of([](std::span<double> x) {
    for (double& value : x) value = math::exp(value);
  });
  const auto sigmoids = bits_of([](std::span<double> x) {
    for (double& value : x) value = math::sigmoid(value);
  });
  const std::string best = simd_name();
  struct Limit {
    Simd most;
    const char* name;
  };
  for (const auto& [most, name] : {Limit{Simd::avx512, "avx512"}, Limit{Simd::avx2, "avx2"},
                                   Limit{Simd::portable, "portable"}}) {
    const SimdLimit limit(most);
    const bool available = best == "avx512" || most == Simd::portable || best == name;
    if (available) {
      EXPECT_EQ(simd_name(), name);
    }
    EXPECT_EQ(bits_of(math::exp_all), exps) << simd_name();
    EXPECT_EQ(bits_of(math::sigmoid_all), sigmoids) << simd_name();
  }
  EXPECT_EQ(simd_name(), best) << "a limit ends";
}

}  // namespace
}  // namespace gradatim
