#include "gradatim/neural/nn/kernel/product.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/product.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Rows of a tile: with two vectors each, and what multiplies them, they fill the registers (32 with
// AVX-512, else 16).
constexpr int kTile = HWY_TARGET <= HWY_AVX3 ? 12 : 6;

// kRows rows and kVectors vectors of c, all sums in registers.
template <int kRows, int kVectors, class D>
HWY_INLINE void tile(D d, std::int64_t inner, Left a, Rows<const float> b, Rows<float> c,
                     Start start) {
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(D()));
  hn::Vec<D> sum[kRows][kVectors];
#pragma GCC unroll 16
  for (int j = 0; j < kRows; ++j) {
    const auto bias = start.bias != nullptr ? hn::Set(d, start.bias[j]) : hn::Zero(d);
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sum[j][v] = bias;
      if (start.there) sum[j][v] = hn::Add(bias, hn::LoadU(d, c.data + j * c.row + v * kLanes));
    }
  }
  for (std::int64_t k = 0; k < inner; ++k, a.data += a.column, b.data += b.row) {
    hn::Vec<D> right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(d, b.data + v * kLanes);
#pragma GCC unroll 16
    for (int j = 0; j < kRows; ++j) {
      const auto left = hn::Set(d, a.data[j * a.row]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[j][v] = hn::MulAdd(left, right[v], sum[j][v]);
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kRows; ++j) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sum[j][v], d, c.data + j * c.row + v * kLanes);
  }
}

// All columns of kRows rows. In a function of its own, a tile keeps its sums in registers.
template <int kRows>
HWY_NOINLINE void band(std::int64_t inner, std::int64_t columns, Left a, Rows<const float> b,
                       Rows<float> c, Start start) {
  std::int64_t first = 0;
  const auto tiles = [&]<int kVectors>(auto d) {
    constexpr auto kWidth = static_cast<std::int64_t>(kVectors * hn::MaxLanes(d));
    for (; first + kWidth <= columns; first += kWidth) {
      tile<kRows, kVectors>(d, inner, a, {b.data + first, b.row}, {c.data + first, c.row}, start);
    }
  };
  tiles.template operator()<2>(hn::ScalableTag<float>());
  tiles.template operator()<1>(hn::ScalableTag<float>());
  tiles.template operator()<1>(hn::CappedTag<float, 4>());
  tiles.template operator()<1>(hn::CappedTag<float, 1>());
}

template <int kRows>
void last_band(std::int64_t rows, std::int64_t inner, std::int64_t columns, Left a,
               Rows<const float> b, Rows<float> c, Start start) {
  if constexpr (kRows > 0) {
    if (rows == kRows) return band<kRows>(inner, columns, a, b, c, start);
    last_band<kRows - 1>(rows, inner, columns, a, b, c, start);
  }
}

void product(const Sizes& sizes, Left a, Rows<const float> b, Rows<float> c, Start start) {
  std::int64_t row = 0;
  for (; row + kTile <= sizes.rows; row += kTile) {
    band<kTile>(sizes.inner, sizes.columns, a, b, c, start);
    a.data += kTile * a.row;
    c.data += kTile * c.row;
    if (start.bias != nullptr) start.bias += kTile;
  }
  last_band<kTile - 1>(sizes.rows - row, sizes.inner, sizes.columns, a, b, c, start);
}

// Four rows and four columns at a time in registers; returns the columns that were done.
HWY_INLINE std::int64_t transpose_four([[maybe_unused]] std::int64_t width,
                                       [[maybe_unused]] Rows<const float> from,
                                       [[maybe_unused]] Rows<float> to) {
  std::int64_t k = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::FixedTag<float, 4> d;
  const hn::Repartition<double, decltype(d)> pairs;
  const auto low = [&](auto x, auto y) {
    return hn::BitCast(d, hn::InterleaveLower(pairs, hn::BitCast(pairs, x), hn::BitCast(pairs, y)));
  };
  const auto high = [&](auto x, auto y) {
    return hn::BitCast(d, hn::InterleaveUpper(pairs, hn::BitCast(pairs, x), hn::BitCast(pairs, y)));
  };
  for (; k + 4 <= width; k += 4) {
    const auto row = [&](int j) { return hn::LoadU(d, from.data + j * from.row + k); };
    const auto out = [&](auto v, int j) { hn::StoreU(v, d, to.data + (k + j) * to.row); };
    const auto r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3);
    const auto a = hn::InterleaveLower(d, r0, r1), b = hn::InterleaveLower(d, r2, r3);
    const auto c = hn::InterleaveUpper(d, r0, r1), e = hn::InterleaveUpper(d, r2, r3);
    out(low(a, b), 0);
    out(high(a, b), 1);
    out(low(c, e), 2);
    out(high(c, e), 3);
  }
#endif
  return k;
}

void transpose(std::int64_t height, std::int64_t width, Rows<const float> from, Rows<float> to) {
  for (std::int64_t i = 0; i < height; i += 4, from.data += 4 * from.row, to.data += 4) {
    const std::int64_t rows = std::min<std::int64_t>(4, height - i);
    const std::int64_t done = rows == 4 ? transpose_four(width, from, to) : 0;
    for (std::int64_t j = 0; j < rows; ++j) {
      for (std::int64_t k = done; k < width; ++k) {
        to.data[k * to.row + j] = from.data[j * from.row + k];
      }
    }
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(product);
HWY_EXPORT(transpose);

void product(const Sizes& sizes, Left a, Rows<const float> b, Rows<float> c, Start start) {
  HWY_DYNAMIC_DISPATCH(product)(sizes, a, b, c, start);
}
void transpose(std::int64_t height, std::int64_t width, Rows<const float> from, Rows<float> to) {
  HWY_DYNAMIC_DISPATCH(transpose)(height, width, from, to);
}

}  // namespace gradatim::neural::kernel
#endif
