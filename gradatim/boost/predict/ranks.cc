#include "gradatim/boost/predict/ranks.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "gradatim/boost/predict/tree_code.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/predict/ranks.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {

// The largest float32 <= x: one step back where rounding went up.
void round_down(const double* x, int count, float* out) {
  for (int i = 0; i < count; ++i) {
    const auto nearest = static_cast<float>(x[i]);
    const auto bits = std::bit_cast<std::int32_t>(nearest);
    const std::int32_t back = bits < 0 ? 1 : -1;
    out[i] = std::bit_cast<float>(bits + (double{nearest} > x[i] ? back : 0));
  }
}

// All rows take a step of the binary search together. NaN exceeds nothing, neither do paddings.
template <class T>
void step_down(const T* cuts, int half, const T* x, int count, std::int32_t* at) {
  for (; half > 0; half /= 2) {
    for (int i = 0; i < count; ++i) at[i] += cuts[at[i] + half - 1] <= x[i] ? half : 0;
  }
}

void search_exact(const double* cuts, int levels, const double* x, int count, std::int32_t* at) {
  std::fill_n(at, count, 0);
  step_down(cuts, levels > 0 ? 1 << (levels - 1) : 0, x, count, at);
}

#if HWY_TARGET == HWY_AVX3
// `top` holds 31 cuts in two registers: five steps without a load.
void search_rounded(const float* cuts, const float* top, int levels, const float* x, int count,
                    std::int32_t* at) {
  constexpr int kSixteens = 4;
  const __m512 low = _mm512_loadu_ps(top);
  const __m512 high = _mm512_loadu_ps(top + 16);
  const int rest = std::max(0, levels - 5);
  for (int i = 0; i < count; i += 16 * kSixteens) {
    __m512i place[kSixteens];
    for (auto& p : place) p = _mm512_setzero_si512();
    for (int half = 16; half > 0; half /= 2) {
      const __m512i before = _mm512_set1_epi32(half - 1);
      const __m512i step = _mm512_set1_epi32(half);
      for (int v = 0; v < kSixteens; ++v) {
        const __m512i probe = _mm512_add_epi32(place[v], before);
        const __mmask16 beyond = _mm512_cmp_ps_mask(_mm512_permutex2var_ps(low, probe, high),
                                                    _mm512_loadu_ps(x + i + 16 * v), _CMP_LE_OQ);
        place[v] = _mm512_mask_add_epi32(place[v], beyond, place[v], step);
      }
    }
    for (auto& p : place) p = _mm512_slli_epi32(p, rest);
    for (int half = (1 << rest) / 2; half > 0; half /= 2) {
      const __m512i step = _mm512_set1_epi32(half);
      for (int v = 0; v < kSixteens; ++v) {
        const __m512 cut = _mm512_i32gather_ps(place[v], cuts + half - 1, 4);
        const __mmask16 beyond =
            _mm512_cmp_ps_mask(cut, _mm512_loadu_ps(x + i + 16 * v), _CMP_LE_OQ);
        place[v] = _mm512_mask_add_epi32(place[v], beyond, place[v], step);
      }
    }
    for (int v = 0; v < kSixteens; ++v) _mm512_storeu_si512(at + i + 16 * v, place[v]);
  }
}
#else
void search_rounded(const float* cuts, const float* /*top*/, int levels, const float* x, int count,
                    std::int32_t* at) {
  std::fill_n(at, count, 0);
  step_down(cuts, levels > 0 ? 1 << (levels - 1) : 0, x, count, at);
}
#endif

// A NaN has rank 0 already.
void write_left(const std::int32_t* at, int count, std::int8_t* plane) {
  for (int i = 0; i < count; ++i) plane[i] = static_cast<std::int8_t>(at[i] - 128);
}
void write_right(const std::int32_t* at, const double* x, int count, std::int8_t* plane) {
  for (int i = 0; i < count; ++i) {
    plane[i] = static_cast<std::int8_t>(x[i] != x[i] ? 127 : at[i] - 128);
  }
}

void shift(const std::uint8_t* bins, int count, std::int32_t missing, std::int8_t* plane) {
  const auto absent = static_cast<std::uint8_t>(missing);
  if (missing < 0) {
    for (int i = 0; i < count; ++i) plane[i] = static_cast<std::int8_t>(bins[i] ^ 0x80);
  } else {
    for (int i = 0; i < count; ++i) {
      plane[i] = static_cast<std::int8_t>(bins[i] == absent ? 0x80 : bins[i] + 0x81);
    }
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(round_down);
HWY_EXPORT(search_exact);
HWY_EXPORT(search_rounded);
HWY_EXPORT(write_left);
HWY_EXPORT(write_right);
HWY_EXPORT(shift);

namespace {

constexpr int kTopLevels = 5;

bool all_rounded(std::span<const double> thresholds) {
  return std::all_of(thresholds.begin(), thresholds.end(),
                     [](double t) { return double{static_cast<float>(t)} == t; });
}

}  // namespace

RankTable::RankTable(std::span<const double> thresholds)
    : levels_(static_cast<int>(std::bit_width(thresholds.size()))) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  exact_.assign(std::size_t{1} << levels_, kNaN);
  std::copy(thresholds.begin(), thresholds.end(), exact_.begin());
  if (!all_rounded(thresholds)) return;
  // Of 31 cuts or fewer, all are in the registers.
  levels_ = std::max(levels_, kTopLevels);
  exact_.resize(std::size_t{1} << levels_, kNaN);
  rounded_.assign(exact_.begin(), exact_.end());
  const std::size_t stride = std::size_t{1} << (levels_ - kTopLevels);
  for (std::size_t k = 1; k <= 32; ++k) top_.push_back(rounded_[k * stride - 1]);
}

std::int64_t RankTable::index_of(double threshold) const {
  // Paddings are NaN, so they are never "below".
  return std::partition_point(exact_.begin(), exact_.end(),
                              [&](double t) { return t < threshold; }) -
         exact_.begin();
}

void RankTable::find(const double* x, int count, std::int8_t* missing_left,
                     std::int8_t* missing_right) const {
  alignas(64) std::int32_t at[kStrip];
  if (rounded_.empty()) {
    HWY_DYNAMIC_DISPATCH(search_exact)(exact_.data(), levels_, x, count, at);
  } else {
    alignas(64) float down[kStrip];
    HWY_DYNAMIC_DISPATCH(round_down)(x, count, down);
    std::fill(down + count, down + kStrip, 0.0F);
    HWY_DYNAMIC_DISPATCH(search_rounded)
    (rounded_.data(), top_.data(), levels_, down, count, at);
  }
  if (missing_left != nullptr) HWY_DYNAMIC_DISPATCH(write_left)(at, count, missing_left);
  if (missing_right != nullptr) HWY_DYNAMIC_DISPATCH(write_right)(at, x, count, missing_right);
}

void shift_bins(const std::uint8_t* bins, int count, std::int32_t missing, std::int8_t* plane) {
  HWY_DYNAMIC_DISPATCH(shift)(bins, count, missing, plane);
}

}  // namespace gradatim::boost
#endif
