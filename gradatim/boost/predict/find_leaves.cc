#include "gradatim/boost/predict/find_leaves.h"

#include <algorithm>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/predict/find_leaves.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The compiler's own vectors: the same few lines become AVX-512 masks, AVX2 or the baseline.
#if HWY_TARGET == HWY_AVX3
constexpr int kLanes = 64;
constexpr int kVectors = 2;  // walked together: one load of a bound serves both
#elif HWY_TARGET == HWY_AVX2
constexpr int kLanes = 32;
constexpr int kVectors = 1;  // with two, sixteen registers would not do
#else
constexpr int kLanes = 16;
constexpr int kVectors = 1;
#endif
using Bytes = std::int8_t __attribute__((vector_size(kLanes)));
using Words = std::uint32_t __attribute__((vector_size(kLanes)));

HWY_INLINE Bytes splat(std::uint32_t four_bytes) {
  const Words words = Words{} + four_bytes;
  return reinterpret_cast<Bytes>(words);
}
HWY_INLINE Bytes load(const std::int8_t* p) { return *reinterpret_cast<const Bytes*>(p); }
HWY_INLINE void store(Bytes v, std::uint8_t* p) { *reinterpret_cast<Bytes*>(p) = v; }

template <bool kMasked>
HWY_INLINE Bytes asked(const Condition& condition, const std::int8_t* planes) {
  const Bytes x = load(planes + condition.plane);
  if constexpr (kMasked) return x & splat(condition.mask);
  return x;
}

struct Row {
  Bytes leaf[kVectors];
};

// Leaves of the subtree that `condition` begins with; constants are added where a parent picks its
// right child, but for the lowest three levels, which have them at once.
template <int kLevels, int kFirst, bool kMasked>
HWY_INLINE Row decide(const Condition*& condition, const std::int8_t* planes) {
  Row row;
  if constexpr (kLevels == 0) {
    for (auto& leaf : row.leaf) leaf = splat(four_times(kFirst));
  } else {
    constexpr int kHalf = 1 << (kLevels - 1);
    const Row left = decide<kLevels - 1, kFirst, kMasked>(condition, planes);
    const Row right =
        decide<kLevels - 1, (kLevels > 3 ? 0 : kFirst + kHalf), kMasked>(condition, planes);
    const Bytes bound = splat(condition->bound);
    for (int v = 0; v < kVectors; ++v) {
      Bytes other = right.leaf[v];
      if constexpr (kLevels > 3) other += splat(four_times(kHalf));
      const Bytes x = asked<kMasked>(*condition, planes + v * kLanes);
      row.leaf[v] = x > bound ? other : left.leaf[v];
    }
    ++condition;
  }
  return row;
}

template <int kLevels, bool kMasked>
void complete(const Condition* first, const std::int8_t* planes, std::uint8_t* leaf) {
  for (int i = 0; i < kStrip; i += kLanes * kVectors) {
    const Condition* condition = first;
    const Row row = decide<kLevels, 0, kMasked>(condition, planes + i);
    for (int v = 0; v < kVectors; ++v) store(row.leaf[v], leaf + i + v * kLanes);
  }
}

// Levels beyond the sixth: two subtrees one after the other, then their parent.
template <bool kMasked>
const Condition* complete_of(int levels, const Condition* first, const std::int8_t* planes,
                             std::uint8_t* leaf) {
  constexpr int kUnrolled = 6;
  constexpr auto kKernels = []<int... kLevels>(std::integer_sequence<int, kLevels...>) {
    using Kernel = void (*)(const Condition*, const std::int8_t*, std::uint8_t*);
    return std::array<Kernel, sizeof...(kLevels)>{complete<kLevels, kMasked>...};
  }
  (std::make_integer_sequence<int, kUnrolled + 1>());
  if (levels <= kUnrolled) {
    kKernels[levels](first, planes, leaf);
    return first + (1 << levels) - 1;
  }
  alignas(64) std::uint8_t right[kStrip];
  const Condition* next = complete_of<kMasked>(levels - 1, first, planes, leaf);
  next = complete_of<kMasked>(levels - 1, next, planes, right);
  const Bytes half = splat(four_times(1U << (levels - 1)));
  for (int i = 0; i < kStrip; i += kLanes) {
    const Bytes l = load(reinterpret_cast<const std::int8_t*>(leaf) + i);
    const Bytes r = load(reinterpret_cast<const std::int8_t*>(right) + i) + half;
    store(asked<kMasked>(*next, planes + i) > splat(next->bound) ? r : l, leaf + i);
  }
  return next + 1;
}

// Four vectors at a time, since the steps of one depend on each other.
constexpr int kTogether = 4;

template <bool kMasked>
void chain(const Condition* conditions, std::size_t count, const std::int8_t* planes,
           std::uint8_t* leaf) {
  for (int i = 0; i < kStrip; i += kLanes * kTogether) {
    Bytes at[kTogether] = {};
    for (const Condition* c = conditions; c != conditions + count; ++c) {
      const Bytes bound = splat(c->bound);
      const Bytes from = splat(c->from);
      const Bytes to = splat(c->to);
      for (int v = 0; v < kTogether; ++v) {
        const Bytes x = asked<kMasked>(*c, planes + i + v * kLanes);
        at[v] = ((at[v] == from) & (x > bound)) ? to : at[v];
      }
    }
    for (int v = 0; v < kTogether; ++v) store(at[v], leaf + i + v * kLanes);
  }
}

template <bool kMasked>
void symmetric(const Condition* conditions, std::size_t count, const std::int8_t* planes,
               std::uint8_t* leaf) {
  for (int i = 0; i < kStrip; i += kLanes * kTogether) {
    Bytes bits[kTogether] = {};
    for (std::size_t level = 0; level < count; ++level) {
      const Condition& c = conditions[level];
      const Bytes bound = splat(c.bound);
      const Bytes bit = splat(four_times(1U << (count - 1 - level)));
      for (int v = 0; v < kTogether; ++v) {
        bits[v] |= (asked<kMasked>(c, planes + i + v * kLanes) > bound) & bit;
      }
    }
    for (int v = 0; v < kTogether; ++v) store(bits[v], leaf + i + v * kLanes);
  }
}

template <bool kMasked>
void find(const TreeCode& tree, const std::int8_t* planes, std::uint8_t* leaf) {
  const Condition* conditions = tree.conditions.data();
  switch (tree.shape) {
    case TreeCode::Shape::symmetric:
      return symmetric<kMasked>(conditions, tree.conditions.size(), planes, leaf);
    case TreeCode::Shape::complete:
      complete_of<kMasked>(tree.depth, conditions, planes, leaf);
      return;
    case TreeCode::Shape::chain:
      return chain<kMasked>(conditions, tree.conditions.size(), planes, leaf);
  }
}

void find_any(const TreeCode& tree, const std::int8_t* planes, std::uint8_t* leaf) {
  return tree.masked ? find<true>(tree, planes, leaf) : find<false>(tree, planes, leaf);
}

#if HWY_TARGET == HWY_AVX3
// Up to 64 values lie in four registers, and sixteen rows look theirs up in two instructions.
template <int kTables>
void add_permuted(const float* values, const std::uint8_t* leaf, double* sum) {
  __m512 table[kTables];
  for (int t = 0; t < kTables; ++t) table[t] = _mm512_loadu_ps(values + 16 * t);
  for (int i = 0; i < kStrip; i += 16) {
    const __m512i number =
        _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(leaf + i)));
    __m512 value;
    if constexpr (kTables == 1) {
      value = _mm512_permutexvar_ps(number, table[0]);
    } else {
      value = _mm512_permutex2var_ps(table[0], number, table[1]);
    }
    if constexpr (kTables == 4) {
      const __mmask16 upper = _mm512_test_epi32_mask(number, _mm512_set1_epi32(32));
      value = _mm512_mask_mov_ps(value, upper, _mm512_permutex2var_ps(table[2], number, table[3]));
    }
    const __m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(value));
    const __m512d high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(value, 1));
    _mm512_storeu_pd(sum + i, _mm512_add_pd(_mm512_loadu_pd(sum + i), low));
    _mm512_storeu_pd(sum + i + 8, _mm512_add_pd(_mm512_loadu_pd(sum + i + 8), high));
  }
}
#endif

void add_any(const TreeCode& tree, const std::uint8_t* leaf, double* sum) {
  const float* values = tree.values.data();
#if HWY_TARGET == HWY_AVX3
  switch (tree.values.size()) {
    case 16: return add_permuted<1>(values, leaf, sum);
    case 32: return add_permuted<2>(values, leaf, sum);
    case 64: return add_permuted<4>(values, leaf, sum);
    default: break;
  }
#endif
  for (int i = 0; i < kStrip; ++i) sum[i] += double{values[leaf[i]]};
}

/// kStride is the number of values of a leaf, or 0 where only `stride` knows it.
template <int kStride>
void add_strided(const float* values, const std::uint8_t* leaf, int stride, double* sum) {
  constexpr int kWidth = kStride > 0 && kStride % 8 == 0 ? 8 : 4;
  const hn::CappedTag<double, kWidth> d;
  const hn::Rebind<float, decltype(d)> f;
  const auto step = static_cast<int>(hn::Lanes(d));
  if constexpr (kStride > 0) stride = kStride;
  for (int i = 0; i < kStrip; ++i) {
    const float* from = values + std::ptrdiff_t{leaf[i]} * stride;
    double* to = sum + std::ptrdiff_t{i} * stride;
    for (int k = 0; k < stride; k += step) {
      const auto more = hn::PromoteTo(d, hn::LoadU(f, from + k));
      hn::StoreU(hn::Add(hn::LoadU(d, to + k), more), d, to + k);
    }
  }
}

void add_vectors_any(const TreeCode& tree, const std::uint8_t* leaf, double* sum) {
  const float* values = tree.values.data();
  switch (tree.stride) {
    case 4: return add_strided<4>(values, leaf, tree.stride, sum);
    case 8: return add_strided<8>(values, leaf, tree.stride, sum);
    case 12: return add_strided<12>(values, leaf, tree.stride, sum);
    case 16: return add_strided<16>(values, leaf, tree.stride, sum);
    default: return add_strided<0>(values, leaf, tree.stride, sum);
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(find_any);
HWY_EXPORT(add_any);
HWY_EXPORT(add_vectors_any);

void find_leaves(const TreeCode& tree, const std::int8_t* planes, std::uint8_t* leaf) {
  HWY_DYNAMIC_DISPATCH(find_any)(tree, planes, leaf);
}

void add_leaves(const TreeCode& tree, const std::uint8_t* leaf, double* sum) {
  HWY_DYNAMIC_DISPATCH(add_any)(tree, leaf, sum);
}

void add_vectors(const TreeCode& tree, const std::uint8_t* leaf, double* sum) {
  HWY_DYNAMIC_DISPATCH(add_vectors_any)(tree, leaf, sum);
}

}  // namespace gradatim::boost
#endif
