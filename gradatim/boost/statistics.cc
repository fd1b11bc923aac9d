#include "gradatim/boost/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "gradatim/core/error.h"
#include "gradatim/core/parallel.h"
#include "gradatim/core/philox.h"
#include "gradatim/dist/collectives.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/statistics.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Plain loops below; each SIMD target compiles its own vectors from them.
HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {

// The largest |w g| and w h of a block, and how many values are NaN, infinite or a negative h.
// Lanes are apart until the end, so that the compiler may keep them in one vector.
void block_extremes(const float* g, const float* h, const float* w, std::int64_t n, double* most_g,
                    double* most_h, double* bad) {
  constexpr std::int64_t kLanes = 8;
  double top_g[kLanes] = {};
  double top_h[kLanes] = {};
  double wrong[kLanes] = {};
  auto look = [&](std::int64_t i, std::int64_t lane) {
    const double weight = w != nullptr ? double{w[i]} : 1.0;
    const double wg = weight * double{g[i]};
    const double wh = weight * double{h[i]};
    const double size = wg < 0.0 ? -wg : wg;
    top_g[lane] = size > top_g[lane] ? size : top_g[lane];
    top_h[lane] = wh > top_h[lane] ? wh : top_h[lane];
    // x - x is NaN for NaN and infinities, and NaN is not >= 0.
    const double sound = (size - size) + (wh - wh) + wh;
    wrong[lane] += sound >= 0.0 ? 0.0 : 1.0;
  };
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) look(i + lane, lane);
  }
  for (; i < n; ++i) look(i, 0);
  for (std::int64_t lane = 0; lane < kLanes; ++lane) {
    *most_g = top_g[lane] > *most_g ? top_g[lane] : *most_g;
    *most_h = top_h[lane] > *most_h ? top_h[lane] : *most_h;
    *bad += wrong[lane];
  }
}

// 64 random bits for each of 2 n rows, two rows a Philox block, `first` the first block's index.
void block_random(std::uint32_t key0, std::uint32_t key1, std::uint32_t draw, std::uint64_t first,
                  std::int64_t n, std::uint32_t* low, std::uint32_t* high) {
  for (std::int64_t i = 0; i < n; ++i) {
    const std::uint64_t index = first + static_cast<std::uint64_t>(i);
    std::uint32_t c0 = static_cast<std::uint32_t>(index);
    std::uint32_t c1 = static_cast<std::uint32_t>(index >> 32);
    std::uint32_t c2 = draw;
    std::uint32_t c3 = static_cast<std::uint32_t>(Stream::rounding);
    std::uint32_t k0 = key0;
    std::uint32_t k1 = key1;
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c0;
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c2;
      const auto n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      const auto n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<std::uint32_t>(p1);
      c3 = static_cast<std::uint32_t>(p0);
      c0 = n0;
      c2 = n2;
      k0 += 0x9E3779B9U;
      k1 += 0xBB67AE85U;
    }
    low[2 * i] = c0;
    high[2 * i] = c1;
    low[2 * i + 1] = c2;
    high[2 * i + 1] = c3;
  }
}

// Rows as three words: fine g, fine h, and coarse g and h in halves. Fine: adding 1.5 * 2^52 leaves
// the integer, rounded to even, in the low bits. Coarse: (fine + u) >> shift.
// Without random bits (wide mode) coarse values are not made; a constant hessian stays the integer
// 1. Gives the sum of squares of fine g >> 10, which fit 64 bits.
template <bool kCoarse>
std::uint64_t round_rows(const float* g, const float* h, const float* w, const std::uint32_t* low,
                         const std::uint32_t* high, std::int64_t n, double scale_g, double scale_h,
                         int shift, bool constant_hessian, std::int32_t* out) {
  constexpr double kShift = 0x1.8p52;
  const std::uint32_t mask = (1U << shift) - 1U;
  const std::uint32_t keep_h = constant_hessian ? 0U : 0xFFFF0000U;
  const std::uint32_t one_h = constant_hessian ? 0x00010000U : 0U;
  std::uint64_t squares = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double weight = w != nullptr ? double{w[i]} : 1.0;
    const double shifted_g = weight * double{g[i]} * scale_g + kShift;
    const double shifted_h = weight * double{h[i]} * scale_h + kShift;
    const auto fine_g = static_cast<std::int32_t>(std::bit_cast<std::int64_t>(shifted_g));
    const auto fine_h = static_cast<std::int32_t>(std::bit_cast<std::int64_t>(shifted_h));
    out[3 * i] = fine_g;
    out[3 * i + 1] = fine_h;
    const std::int64_t part = fine_g >> 10;
    squares += static_cast<std::uint64_t>(part * part);
    if constexpr (kCoarse) {
      const std::int32_t coarse_g = (fine_g + static_cast<std::int32_t>(low[i] & mask)) >> shift;
      const std::int32_t coarse_h = (fine_h + static_cast<std::int32_t>(high[i] & mask)) >> shift;
      const std::uint32_t halves = (static_cast<std::uint32_t>(coarse_g) & 0xFFFFU) |
                                   (static_cast<std::uint32_t>(coarse_h) << 16 & keep_h) | one_h;
      out[3 * i + 2] = static_cast<std::int32_t>(halves);
    }
  }
  return squares;
}

std::uint64_t block_rows(const float* g, const float* h, const float* w, const std::uint32_t* low,
                         const std::uint32_t* high, std::int64_t n, double scale_g, double scale_h,
                         int shift, bool constant_hessian, std::int32_t* out) {
  if (low == nullptr) {
    return round_rows<false>(g, h, w, low, high, n, scale_g, scale_h, shift, constant_hessian, out);
  }
  return round_rows<true>(g, h, w, low, high, n, scale_g, scale_h, shift, constant_hessian, out);
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(block_extremes);
HWY_EXPORT(block_random);
HWY_EXPORT(block_rows);
static_assert(sizeof(RowStatistics) == 12 && offsetof(RowStatistics, coarse) == 8 &&
              std::endian::native == std::endian::little);

namespace {

constexpr std::int64_t kBlock = 4096;
// One int64 a cell holds the sums of this many rows; outside, cells are two int64.
constexpr std::int64_t kFewestPacked = (std::int64_t{1} << 16) + 1;
constexpr std::int64_t kMostPacked = std::int64_t{1} << 22;

struct Extremes {
  double g = 0.0;
  double h = 0.0;
  double bad = 0.0;
};

// The gradients of a block of rows, wherever they are.
struct BlockGradients {
  const float* g;
  const float* h;
};
struct BlockBuffer {
  float g[kBlock];
  float h[kBlock];
};

const float* from(std::span<const float> weight, std::int64_t begin) {
  return weight.empty() ? nullptr : weight.data() + begin;
}

// `block(begin, end, buffer)` gives the gradients of rows, in the buffer or elsewhere.
template <class F>
Extremes find_extremes(std::int64_t rows, std::span<const float> weight, F&& block) {
  std::vector<Extremes> blocks((rows + kBlock - 1) / kBlock);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    BlockBuffer buffer;
    const BlockGradients of = block(begin, end, buffer);
    Extremes& most = blocks[begin / kBlock];
    HWY_DYNAMIC_DISPATCH(block_extremes)
    (of.g, of.h, from(weight, begin), end - begin, &most.g, &most.h, &most.bad);
  });
  Extremes all;
  for (const auto& most : blocks) {
    all.g = std::max(all.g, most.g);
    all.h = std::max(all.h, most.h);
    all.bad += most.bad;
  }
  return all;
}

// 2^(30 - ceil(log2 most)); anything for an empty range, all of whose values are zero.
double fine_scale(double most) { return most > 0.0 ? std::ldexp(1.0, 30 - ceil_log2(most)) : 1.0; }

// Whether max |w g| > 2^(b-3) rms, from exact integers: `squares` of g32 >> 10.
bool has_outliers(const std::vector<std::uint64_t>& squares, const dist::Shard& shard,
                  std::int64_t rows, double most, int bits) {
  constexpr int kHalf = 32;
  std::int64_t high = 0, low = 0;  // of the sum, which takes more than 64 bits
  for (const std::uint64_t block : squares) {
    high += static_cast<std::int64_t>(block >> kHalf);
    low += static_cast<std::int64_t>(block & 0xFFFFFFFFU);
  }
  std::int64_t halves[] = {high, low};
  shard.group->all_reduce(std::span<std::int64_t>(halves), dist::Reduction::sum);
  high = halves[0] + (halves[1] >> kHalf);
  low = halves[1] & 0xFFFFFFFF;
  const double sum = std::ldexp(static_cast<double>(high), kHalf) + static_cast<double>(low);
  const double rms = std::sqrt(sum / static_cast<double>(rows));
  return most > std::ldexp(rms, bits - 3 + 10);
}

// The same over all ranks. `weighed` becomes whether rows of any have weights: a rank without rows
// has none.
void join(const dist::Shard& shard, Extremes& all, bool& weighed) {
  double values[] = {all.g, all.h, all.bad, weighed ? 1.0 : 0.0};
  shard.group->all_reduce(std::span<double>(values), dist::Reduction::max);
  weighed = values[3] > 0.0;
  const auto bad = static_cast<std::int64_t>(all.bad);
  all = {values[0], values[1], values[2]};
  if (all.bad > 0.0) all.bad = static_cast<double>(dist::sum(*shard.group, bad));
}

}  // namespace

void VectorStatistics::resize(std::int64_t rows, int count, bool is_wide) {
  outputs = count;
  wide = is_wide;
  fine.resize(rows * fine_stride());
  coarse.resize(is_wide ? 0 : rows * coarse_stride());
  fine_units.resize(count);
  coarse_units.resize(count);
}

void VectorStatistics::set(int output, const Statistics& statistics) {
  fine_units[output] = statistics.fine_units;
  coarse_units[output] = statistics.coarse_units;
  const auto rows = static_cast<std::int64_t>(statistics.rows.size());
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      fine[row * fine_stride() + output] = statistics.rows[row].fine;
      if (!wide) coarse[row * coarse_stride() + output] = statistics.rows[row].coarse;
    }
  });
}

int ceil_log2(double x) {
  int exponent = 0;
  const double mantissa = std::frexp(x, &exponent);  // in [1/2, 1)
  return mantissa == 0.5 ? exponent - 1 : exponent;
}

int coarse_bits(std::int64_t rows) {
  return std::clamp(30 - ceil_log2(static_cast<double>(rows)), 8, 14);
}

namespace {

template <class F>
void round_all(std::int64_t rows, std::span<const float> weight, Extremes most,
               const QuantiseOptions& options, Statistics& out, F&& block) {
  bool weighed = !weight.empty();
  join(options.shard, most, weighed);
  GRADATIM_CHECK(most.bad == 0.0, NumericError, 4001,
                 "{} gradients or hessians are not finite or hessians negative; scale the target, "
                 "lower the learning rate or check the custom loss",
                 most.bad);
  out.constant_hessian = options.constant_hessian && !weighed;
  const double scale_g = fine_scale(most.g);
  const double scale_h = out.constant_hessian ? 1.0 : fine_scale(most.h);
  out.fine_units = {1.0 / scale_g, 1.0 / scale_h};
  const std::int64_t all_rows = options.shard.rows(rows);
  out.wide = options.force_wide || all_rows < kFewestPacked || all_rows > kMostPacked;
  const int bits = coarse_bits(all_rows);
  const int shift = 30 - bits;
  const double step = std::ldexp(1.0, shift);
  out.coarse_units = {out.fine_units.g * step,
                      out.constant_hessian ? 1.0 : out.fine_units.h * step};
  std::vector<std::uint64_t> squares((rows + kBlock - 1) / kBlock);
  parallel_for(rows, kBlock, [&](std::int64_t begin, std::int64_t end) {
    // Two rows share a draw, and the first may be another rank's.
    std::uint32_t low[kBlock + 2];
    std::uint32_t high[kBlock + 2];
    const std::int64_t first = options.shard.first_row + begin, odd = first % 2;
    if (!out.wide) {
      HWY_DYNAMIC_DISPATCH(block_random)
      (static_cast<std::uint32_t>(options.seed), static_cast<std::uint32_t>(options.seed >> 32),
       options.draw, static_cast<std::uint64_t>(first / 2), (end - begin + odd + 1) / 2, low, high);
    }
    BlockBuffer buffer;
    const BlockGradients of = block(begin, end, buffer);
    squares[begin / kBlock] = HWY_DYNAMIC_DISPATCH(block_rows)(
        of.g, of.h, from(weight, begin), out.wide ? nullptr : low + odd,
        out.wide ? nullptr : high + odd, end - begin, scale_g, scale_h, shift, out.constant_hessian,
        reinterpret_cast<std::int32_t*>(out.rows.data() + begin));
  });
  out.outliers = all_rows >= kFewestPacked &&
                 has_outliers(squares, options.shard, all_rows, most.g * scale_g, bits);
}

}  // namespace

void quantise(std::span<const float> g, std::span<const float> h, std::span<const float> weight,
              const QuantiseOptions& options, Statistics& out) {
  const auto rows = static_cast<std::int64_t>(g.size());
  const auto block = [&](std::int64_t begin, std::int64_t end, BlockBuffer& buffer) {
    if (h.empty()) std::fill_n(buffer.h, end - begin, 1.0F);
    return BlockGradients{g.data() + begin, h.empty() ? buffer.h : h.data() + begin};
  };
  const Extremes most = find_extremes(rows, weight, block);
  out.rows.resize(rows);
  round_all(rows, weight, most, options, out, block);
}

void quantise_made(std::int64_t rows, const GradientMaker& make, std::span<const float> weight,
                   const QuantiseOptions& options, Statistics& out) {
  out.rows.resize(rows);
  const auto place = [&](std::int64_t begin) {
    return reinterpret_cast<std::byte*>(out.rows.data() + begin);
  };
  const auto made = [&](std::int64_t begin, std::int64_t end, BlockBuffer& buffer) {
    make(begin, end, buffer.g, buffer.h);
    const std::size_t bytes = (end - begin) * sizeof(float);
    std::memcpy(place(begin), buffer.g, bytes);
    std::memcpy(place(begin) + bytes, buffer.h, bytes);
    return BlockGradients{buffer.g, buffer.h};
  };
  const auto waiting = [&](std::int64_t begin, std::int64_t end, BlockBuffer& buffer) {
    const std::size_t bytes = (end - begin) * sizeof(float);
    std::memcpy(buffer.g, place(begin), bytes);
    std::memcpy(buffer.h, place(begin) + bytes, bytes);
    return BlockGradients{buffer.g, buffer.h};
  };
  const Extremes most = find_extremes(rows, weight, made);
  round_all(rows, weight, most, options, out, waiting);
}

}  // namespace gradatim::boost
#endif
