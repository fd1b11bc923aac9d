#include "gradatim/process/metric/squared_distances.h"

#include <algorithm>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/process/metric/squared_distances.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::process::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kGroup = SquaredDistances::kColumns;
constexpr std::int64_t kTogether = 64;  // dimensions whose squares are added up before the rest

// kRows rows against two vectors of columns: as much as registers hold.
template <int kRows>
HWY_INLINE void tile(const float* a, std::int64_t dims, const float* b, float* out,
                     std::int64_t pitch) {
  const hn::CappedTag<float, 16> d;
  const std::size_t lanes = hn::Lanes(d);
  hn::Vec<decltype(d)> low[kRows], high[kRows];
  for (int r = 0; r < kRows; ++r) low[r] = high[r] = hn::Zero(d);
  for (std::int64_t begin = 0; begin < dims; begin += kTogether) {
    hn::Vec<decltype(d)> part_low[kRows], part_high[kRows];
    for (int r = 0; r < kRows; ++r) part_low[r] = part_high[r] = hn::Zero(d);
    const std::int64_t end = std::min(dims, begin + kTogether);
    for (std::int64_t k = begin; k < end; ++k) {
      const auto b_low = hn::LoadU(d, b + k * kGroup),
                 b_high = hn::LoadU(d, b + k * kGroup + lanes);
      for (int r = 0; r < kRows; ++r) {
        const auto x = hn::Set(d, a[r * dims + k]);
        const auto to_low = hn::Sub(x, b_low), to_high = hn::Sub(x, b_high);
        part_low[r] = hn::Add(part_low[r], hn::Mul(to_low, to_low));
        part_high[r] = hn::Add(part_high[r], hn::Mul(to_high, to_high));
      }
    }
    for (int r = 0; r < kRows; ++r) {
      low[r] = hn::Add(low[r], part_low[r]);
      high[r] = hn::Add(high[r], part_high[r]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    hn::StoreU(low[r], d, out + r * pitch);
    hn::StoreU(high[r], d, out + r * pitch + lanes);
  }
}

void distances(const float* a, std::int64_t count, const float* b, std::int64_t groups,
               std::int64_t dims, float* out, std::int64_t pitch) {
  const auto wide = static_cast<std::int64_t>(2 * hn::Lanes(hn::CappedTag<float, 16>()));
  for (std::int64_t g = 0; g < groups; ++g) {
    for (std::int64_t j = 0; j < kGroup; j += wide) {
      const float* to = b + g * dims * kGroup + j;
      float* at = out + g * kGroup + j;
      std::int64_t i = 0;
      for (; i + 4 <= count; i += 4) tile<4>(a + i * dims, dims, to, at + i * pitch, pitch);
      for (; i < count; ++i) tile<1>(a + i * dims, dims, to, at + i * pitch, pitch);
    }
  }
}

}  // namespace gradatim::process::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::process {

HWY_EXPORT(distances);

SquaredDistances::SquaredDistances(const float* b, std::int64_t n, std::int64_t dims)
    : n_(n), dims_(dims), b_(static_cast<std::size_t>(pitch() * dims)) {
  for (std::int64_t j = 0; j < n; ++j) {
    float* to = b_.data() + j / kColumns * dims * kColumns + j % kColumns;
    for (std::int64_t k = 0; k < dims; ++k) to[k * kColumns] = b[j * dims + k];
  }
}

void SquaredDistances::rows(const float* a, std::int64_t count, float* out,
                            std::int64_t pitch) const {
  HWY_DYNAMIC_DISPATCH(distances)
  (a, count, b_.data(), this->pitch() / kColumns, dims_, out, pitch);
}

}  // namespace gradatim::process
#endif
