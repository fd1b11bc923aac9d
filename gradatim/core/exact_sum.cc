#include "gradatim/core/exact_sum.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gradatim {

// Afterwards every limb but the last lies in [0, 2^32); the last carries the sign.
void ExactSum::propagate() {
  std::int64_t carry = 0;
  for (int i = 0; i < kLimbs - 1; ++i) {
    const std::int64_t total = limbs_[i] + carry;
    limbs_[i] = total & 0xFFFFFFFFLL;
    carry = total >> 32;  // floor division, so a negative total borrows
  }
  limbs_[kLimbs - 1] += carry;
  pending_ = 1;
}

void ExactSum::add(const ExactSum& other) {
  ExactSum right = other;
  right.propagate();
  propagate();
  for (int i = 0; i < kLimbs; ++i) limbs_[i] += right.limbs_[i];
  propagate();
  finite_ = finite_ && other.finite_;
}

double ExactSum::value() const {
  if (!finite_) return std::numeric_limits<double>::quiet_NaN();
  ExactSum sum = *this;
  sum.propagate();
  const bool negative = sum.limbs_[kLimbs - 1] < 0;
  if (negative) {
    for (auto& limb : sum.limbs_) limb = -limb;
    sum.propagate();
  }
  int top = kLimbs - 1;
  while (top >= 0 && sum.limbs_[top] == 0) --top;
  if (top < 0) return 0.0;

  // The three highest limbs hold at least 65 significant bits; the rest only break ties.
  auto limb = [&](int i) {
    return static_cast<Wide>(i < 0 ? 0 : static_cast<std::uint64_t>(sum.limbs_[i]));
  };
  const Wide head = (limb(top) << 64) | (limb(top - 1) << 32) | limb(top - 2);
  bool sticky = false;
  for (int i = 0; i < top - 2; ++i) sticky = sticky || sum.limbs_[i] != 0;

  int width = 0;
  for (auto h = head; h != 0; h >>= 1) ++width;
  const int lowest = 32 * (top - 2) - 1074;  // exponent of the head's lowest bit
  int keep = width - 53;                     // bits to round away
  keep = std::max(keep, -1074 - lowest);     // subnormal results round at 2^-1074
  if (keep <= 0) {
    const double exact = std::ldexp(static_cast<double>(static_cast<std::uint64_t>(head)), lowest);
    return negative ? -exact : exact;
  }
  auto mantissa = static_cast<std::uint64_t>(head >> keep);
  const Wide rest = head & ((static_cast<Wide>(1) << keep) - 1);
  const Wide half = static_cast<Wide>(1) << (keep - 1);
  if (rest > half || (rest == half && (sticky || (mantissa & 1) != 0))) ++mantissa;
  const double rounded = std::ldexp(static_cast<double>(mantissa), lowest + keep);
  return negative ? -rounded : rounded;
}

ExactSum::Parts ExactSum::parts() const {
  ExactSum copy = *this;
  copy.propagate();
  Parts parts{};
  std::copy(copy.limbs_.begin(), copy.limbs_.end(), parts.begin());
  parts[kLimbs] = finite_ ? 0 : 1;
  return parts;
}

ExactSum ExactSum::of(const Parts& parts) {
  ExactSum sum;
  std::copy_n(parts.begin(), kLimbs, sum.limbs_.begin());
  sum.finite_ = parts[kLimbs] == 0;
  sum.propagate();
  return sum;
}

}  // namespace gradatim
