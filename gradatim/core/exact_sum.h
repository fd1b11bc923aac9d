// ExactSum: the correctly rounded sum of doubles, whatever their order or grouping.
//
// An integer superaccumulator (after Kulisch): a double is its 53-bit mantissa at a bit position
// between -1074 and 971; the accumulator is a row of 64-bit limbs that each stand for 32 bits, so
// that 2^31 additions fit before carries must be propagated. Addition of accumulators is exact too,
// which makes sums over threads and ranks equal to the bit.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace gradatim {

class ExactSum {
 public:
  __extension__ using Wide = unsigned __int128;

  /// Adds one finite value; infinities and NaN make the sum NaN.
  void add(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const int biased = static_cast<int>((bits >> 52) & 0x7FF);
    if (biased == 0x7FF) [[unlikely]] {
      finite_ = false;
      return;
    }
    const std::uint64_t fraction = bits & 0xFFFFFFFFFFFFFULL;
    const std::uint64_t mantissa = biased == 0 ? fraction : fraction | (1ULL << 52);
    const int position = biased == 0 ? 0 : biased - 1;  // of the lowest bit, above 2^-1074
    const int limb = position >> 5;
    const auto wide = static_cast<Wide>(mantissa) << (position & 31);
    const std::int64_t sign = (bits >> 63) != 0 ? -1 : 1;
    limbs_[limb] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(wide));
    limbs_[limb + 1] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(wide >> 32));
    limbs_[limb + 2] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(wide >> 64));
    if (++pending_ == (1U << 30)) propagate();
  }
  void add(const ExactSum& other);

  /// The sum, rounded once to nearest even.
  double value() const;

  static constexpr int kLimbs = 68;  // 2098 bits of values, 31 of headroom, one limb of sign
  /// The sum as integers: those of up to 2^30 sums, added up one by one, are their sum.
  using Parts = std::array<std::int64_t, kLimbs + 1>;
  Parts parts() const;
  static ExactSum of(const Parts& parts);

 private:
  void propagate();

  std::array<std::int64_t, kLimbs> limbs_{};
  std::uint32_t pending_ = 0;
  bool finite_ = true;
};

}  // namespace gradatim
