// exp, log and their relatives from IEEE + - * / alone: the same bits on every machine.
//
// libm's versions differ between releases and processors, and a boosted model must not. Errors are
// below 2 units in the last place, 2.5 for sigmoid (tested against libm's long double). The scalar
// forms are inline so that each SIMD target compiles its own vector loop from them.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace gradatim::math {

/// e^x. x = n ln 2 + r with |r| <= ln(2)/2, then e^r by its series to the 13th power. Zero for
/// x < -708 (there are no subnormal results); infinity above the largest double. NaN stays NaN.
[[gnu::always_inline]] inline double exp(double x) {
  constexpr double kShift = 0x1.8p52;  // adding it rounds to the nearest integer
  const double clamped = x < -709.0 ? -709.0 : (x > 710.0 ? 710.0 : x);
  const double shifted = clamped * 0x1.71547652b82fep0 + kShift;
  const double n = shifted - kShift;
  const double r = (clamped - n * 0x1.62e42feep-1) - n * 0x1.a39ef35793c76p-33;
  double p = 0x1.6124613a86d09p-33;  // 1/13!
  p = p * r + 0x1.1eed8eff8d898p-29;
  p = p * r + 0x1.ae64567f544e4p-26;
  p = p * r + 0x1.27e4fb7789f5cp-22;
  p = p * r + 0x1.71de3a556c734p-19;
  p = p * r + 0x1.a01a01a01a01ap-16;
  p = p * r + 0x1.a01a01a01a01ap-13;
  p = p * r + 0x1.6c16c16c16c17p-10;
  p = p * r + 0x1.1111111111111p-7;
  p = p * r + 0x1.5555555555555p-5;
  p = p * r + 0x1.5555555555555p-3;
  p = p * r + 0.5;
  const double power = 1.0 + (r + r * r * p);
  // 2^n in two factors: n = 1024 and n = -1022 are both beyond one exponent field.
  const std::int64_t whole =
      std::bit_cast<std::int64_t>(shifted) - std::bit_cast<std::int64_t>(kShift);
  const double scale = std::bit_cast<double>((whole + 1022) << 52);
  const double scaled = power * scale * 2.0;
  const double finite = x < -708.0 ? 0.0 : (x > 709.782712893384 ? 1e308 * 10.0 : scaled);
  return x == x ? finite : x;
}

/// 1 / (1 + e^-x), without overflow.
[[gnu::always_inline]] inline double sigmoid(double x) {
  const double e = exp(x < 0.0 ? x : -x);
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

/// ln x: x = 2^k m with m in [sqrt(1/2), sqrt(2)), ln m = 2 artanh((m-1)/(m+1)) by its series.
/// log(0) is -infinity, of a negative number NaN.
inline double log(double x) {
  if (!(x > 0.0)) {
    return x == 0.0 ? -std::numeric_limits<double>::infinity()
                    : std::numeric_limits<double>::quiet_NaN();
  }
  if (x - x != 0.0) return x;
  double offset = 0.0;
  if (x < 0x1p-1022) {
    x *= 0x1p54;
    offset = -54.0;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<std::int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xFFFFFFFFFFFFFULL) | 0x3FF0000000000000ULL);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    ++exponent;
  }
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double p = 1.0 / 23.0;
  for (const double odd : {21.0, 19.0, 17.0, 15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0}) {
    p = p * z + 1.0 / odd;
  }
  // ln m = 2 s + 2 s^3 p = f - f^2/2 + s (f^2/2 + 2 z p): the second form loses no bits near m = 1.
  const double half = 0.5 * f * f;
  const double k = static_cast<double>(exponent) + offset;
  return k * 0x1.62e42feep-1 -
         ((half - (s * (half + 2.0 * z * p) + k * 0x1.a39ef35793c76p-33)) - f);
}

/// ln(1 + e^x): the logistic loss, linear for large x and e^x for small.
inline double softplus(double x) {
  const double e = exp(x < 0.0 ? x : -x);  // in (0, 1]
  const double u = 1.0 + e;
  const double tail = log(u) + (e - (u - 1.0)) / u;  // ln(1 + e), the rounding of u repaired
  return x < 0.0 ? tail : x + tail;
}

/// exp or sigmoid of every element in place, by the best SIMD target.
void exp_all(std::span<double> x);
void sigmoid_all(std::span<double> x);

}  // namespace gradatim::math
