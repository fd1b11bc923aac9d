#include "gradatim/neural/nn/kernel/nearest.h"

#include <algorithm>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/nearest.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Codes of a tile, with two vectors each: as in product.cc, they fill the registers.
constexpr int kTileCodes = HWY_TARGET <= HWY_AVX3 ? 12 : 6;
constexpr int kTileVectors = 2;

// The least so far of each vector of the block, and whose it is.
struct Least {
  HWY_ALIGN float value[kBlock];
  HWY_ALIGN std::int32_t code[kBlock];
};

// kCodes codes from `first` on against the whole block, turned: [dims, kBlock]. In a function of
// its own, a tile keeps its sums in registers.
template <int kCodes>
HWY_NOINLINE void compare(const CodeTable& table, std::int64_t first, const float* turned,
                          Least& least) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr auto kLanes = static_cast<std::int64_t>(hn::MaxLanes(hn::ScalableTag<float>()));
  const float* const codes = table.codes + first * table.dims;
  for (std::int64_t column = 0; column < kBlock; column += kTileVectors * kLanes) {
    hn::Vec<decltype(d)> sum[kCodes][kTileVectors];
#pragma GCC unroll 16
    for (int j = 0; j < kCodes; ++j) {
#pragma GCC unroll 2
      for (int v = 0; v < kTileVectors; ++v) sum[j][v] = hn::Set(d, table.half_square[first + j]);
    }
    const float* right = turned + column;
    for (std::int64_t k = 0; k < table.dims; ++k, right += kBlock) {
      hn::Vec<decltype(d)> z[kTileVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kTileVectors; ++v) z[v] = hn::LoadU(d, right + v * kLanes);
#pragma GCC unroll 16
      for (int j = 0; j < kCodes; ++j) {
        const auto e = hn::Set(d, codes[j * table.dims + k]);
#pragma GCC unroll 2
        for (int v = 0; v < kTileVectors; ++v) sum[j][v] = hn::NegMulAdd(e, z[v], sum[j][v]);
      }
    }
#pragma GCC unroll 2
    for (int v = 0; v < kTileVectors; ++v) {
      float* const value = least.value + column + v * kLanes;
      std::int32_t* const code = least.code + column + v * kLanes;
      auto least_value = hn::Load(d, value);
      auto least_code = hn::Load(di, code);
#pragma GCC unroll 16
      for (int j = 0; j < kCodes; ++j) {
        const auto less = hn::Lt(sum[j][v], least_value);
        least_value = hn::IfThenElse(less, sum[j][v], least_value);
        least_code = hn::IfThenElse(hn::RebindMask(di, less),
                                    hn::Set(di, static_cast<std::int32_t>(first + j)), least_code);
      }
      hn::Store(least_value, d, value);
      hn::Store(least_code, di, code);
    }
  }
}

void nearest_block(const CodeTable& table, const float* z, std::int64_t rows, float* turned,
                   std::int64_t* codes) {
  if (rows < kBlock) std::fill_n(turned, table.dims * kBlock, 0.0F);
  transpose(rows, table.dims, {z, table.dims}, {turned, kBlock});
  Least least;
  std::fill_n(least.value, kBlock, std::numeric_limits<float>::infinity());
  std::fill_n(least.code, kBlock, 0);
  std::int64_t first = 0;
  for (; first + kTileCodes <= table.count; first += kTileCodes) {
    compare<kTileCodes>(table, first, turned, least);
  }
  // The last ones: codes that are met again are not less than themselves.
  if (first < table.count && table.count >= kTileCodes) {
    compare<kTileCodes>(table, table.count - kTileCodes, turned, least);
    first = table.count;
  }
  for (; first < table.count; ++first) compare<1>(table, first, turned, least);
  std::copy_n(least.code, rows, codes);
}

// Calls f(tag, place) over [first, last) in vectors, and one by one at the end.
template <class F>
HWY_INLINE void over(std::int64_t first, std::int64_t last, const F& f) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (; first + lanes <= last; first += lanes) f(d, first);
  for (; first < last; ++first) f(hn::CappedTag<float, 1>(), first);
}

double gather_rows(const CodeTable& table, const float* z, std::int64_t rows,
                   const std::int64_t* codes, float* vectors) {
  const hn::ScalableTag<float> all;
  double squares = 0.0;
  for (std::int64_t row = 0; row < rows; ++row, z += table.dims, vectors += table.dims) {
    const float* const e = table.codes + codes[row] * table.dims;
    auto sum = hn::Zero(all);
    float rest = 0.0F;
    over(0, table.dims, [&](auto d, std::int64_t k) {
      const auto code = hn::LoadU(d, e + k), off = hn::Sub(hn::LoadU(d, z + k), code);
      hn::StoreU(code, d, vectors + k);
      if constexpr (std::is_same_v<decltype(d), hn::ScalableTag<float>>) {
        sum = hn::MulAdd(off, off, sum);
      } else {
        rest += hn::GetLane(hn::Mul(off, off));
      }
    });
    squares += double{hn::GetLane(hn::SumOfLanes(all, sum))} + double{rest};
  }
  return squares;
}

void pull_rows(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
               float factor, const float* by_vectors, float* by_z) {
  for (std::int64_t row = 0; row < rows; ++row, z += table.dims, by_z += table.dims) {
    const float* const e = table.codes + codes[row] * table.dims;
    over(0, table.dims, [&](auto d, std::int64_t k) {
      const auto off = hn::Sub(hn::LoadU(d, z + k), hn::LoadU(d, e + k));
      const auto before = by_vectors != nullptr ? hn::LoadU(d, by_vectors + k) : hn::Zero(d);
      hn::StoreU(hn::MulAdd(hn::Set(d, factor), off, before), d, by_z + k);
    });
    if (by_vectors != nullptr) by_vectors += table.dims;
  }
}

void push_rows(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
               float factor, std::int64_t first, std::int64_t last, float* by_codes) {
  for (std::int64_t row = 0; row < rows; ++row, z += table.dims) {
    const float* const e = table.codes + codes[row] * table.dims;
    float* const to = by_codes + codes[row] * table.dims;
    over(first, last, [&](auto d, std::int64_t k) {
      const auto off = hn::Sub(hn::LoadU(d, e + k), hn::LoadU(d, z + k));
      hn::StoreU(hn::MulAdd(hn::Set(d, factor), off, hn::LoadU(d, to + k)), d, to + k);
    });
  }
}

void add_rows(const float* z, std::int64_t rows, std::int64_t dims, const std::int64_t* codes,
              std::int64_t first, std::int64_t last, float* sums) {
  for (std::int64_t row = 0; row < rows; ++row, z += dims) {
    if (codes[row] < 0) continue;
    float* const to = sums + codes[row] * dims;
    over(first, last, [&](auto d, std::int64_t k) {
      hn::StoreU(hn::Add(hn::LoadU(d, to + k), hn::LoadU(d, z + k)), d, to + k);
    });
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(nearest_block);
HWY_EXPORT(gather_rows);
HWY_EXPORT(pull_rows);
HWY_EXPORT(push_rows);
HWY_EXPORT(add_rows);

void nearest(const CodeTable& table, const float* z, std::int64_t rows, float* turned,
             std::int64_t* codes) {
  HWY_DYNAMIC_DISPATCH(nearest_block)(table, z, rows, turned, codes);
}
double gather(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
              float* vectors) {
  return HWY_DYNAMIC_DISPATCH(gather_rows)(table, z, rows, codes, vectors);
}
void pull(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
          float factor, const float* by_vectors, float* by_z) {
  HWY_DYNAMIC_DISPATCH(pull_rows)(table, z, rows, codes, factor, by_vectors, by_z);
}
void push(const CodeTable& table, const float* z, std::int64_t rows, const std::int64_t* codes,
          float factor, std::int64_t first, std::int64_t last, float* by_codes) {
  HWY_DYNAMIC_DISPATCH(push_rows)(table, z, rows, codes, factor, first, last, by_codes);
}
void add_by_code(const float* z, std::int64_t rows, std::int64_t dims, const std::int64_t* codes,
                 std::int64_t first, std::int64_t last, float* sums) {
  HWY_DYNAMIC_DISPATCH(add_rows)(z, rows, dims, codes, first, last, sums);
}

}  // namespace gradatim::neural::kernel
#endif
