#include "gradatim/process/host_combine.h"

#include <hwy/cache_control.h>

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/process/host_combine.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::process::host::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
T plain_sum(const Sum<T>& sum, const T* noise, std::int64_t i, std::int64_t offset) {
  T total = 0;
  for (int j = 0; j < sum.terms; ++j) {
    T part = static_cast<T>(sum.c[j]) * sum.x[j][offset + i];
    if (sum.weight[j] != nullptr) part *= sum.weight[j][offset + i];
    total += part;
  }
  if (sum.noise != 0.0) {
    T part = static_cast<T>(sum.noise) * noise[i];
    if (sum.noise_weight != nullptr) part *= sum.noise_weight[offset + i];
    total += part;
  }
  return total;
}

// kTerms > 0: so many plain terms and no weights, unrolled; 0: anything.
template <class T, int kTerms, bool kStream>
bool add_up_loop(const Sum<T>& sum, const T* noise, std::int64_t offset, std::int64_t count) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  // A number times 0 is 0 unless it is not finite, and NaN stays once it is there.
  auto trouble = hn::Zero(d);
  std::int64_t i = 0;
  const int terms = kTerms > 0 ? kTerms : sum.terms;
  for (; i + lanes <= count; i += lanes) {
    auto total = hn::Zero(d);
    for (int j = 0; j < terms; ++j) {
      auto part =
          hn::Mul(hn::Set(d, static_cast<T>(sum.c[j])), hn::LoadU(d, sum.x[j] + offset + i));
      if constexpr (kTerms == 0) {
        if (sum.weight[j] != nullptr) {
          part = hn::Mul(part, hn::LoadU(d, sum.weight[j] + offset + i));
        }
      }
      total = hn::Add(total, part);
    }
    if (kTerms == 0 && sum.noise != 0.0) {
      auto part = hn::Mul(hn::Set(d, static_cast<T>(sum.noise)), hn::LoadU(d, noise + i));
      if (sum.noise_weight != nullptr) {
        part = hn::Mul(part, hn::LoadU(d, sum.noise_weight + offset + i));
      }
      total = hn::Add(total, part);
    }
    trouble = hn::Add(trouble, hn::Mul(total, hn::Zero(d)));
    if constexpr (kStream) {
      hn::Stream(total, d, sum.out + offset + i);
    } else {
      hn::StoreU(total, d, sum.out + offset + i);
    }
  }
  T rest = 0;
  for (; i < count; ++i) {
    const T total = plain_sum(sum, noise, i, offset);
    rest += total * 0;
    sum.out[offset + i] = total;
  }
  return hn::AllTrue(d, hn::Eq(trouble, hn::Zero(d))) && rest == 0;
}

template <class T, int kTerms>
bool add_up_to(const Sum<T>& sum, const T* noise, std::int64_t offset, std::int64_t count) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(sum.out + offset) % 64 == 0;
  if (!sum.past_caches || !aligned) {
    return add_up_loop<T, kTerms, false>(sum, noise, offset, count);
  }
  const bool finite = add_up_loop<T, kTerms, true>(sum, noise, offset, count);
  hwy::FlushStream();  // before another thread may read
  return finite;
}

template <class T>
bool add_up_any(const Sum<T>& sum, const T* noise, std::int64_t offset, std::int64_t count) {
  bool plain = sum.noise == 0.0;
  for (int j = 0; j < sum.terms; ++j) plain &= sum.weight[j] == nullptr;
  if (plain && sum.terms == 2) return add_up_to<T, 2>(sum, noise, offset, count);
  if (plain && sum.terms == 3) return add_up_to<T, 3>(sum, noise, offset, count);
  if (plain && sum.terms == 1) return add_up_to<T, 1>(sum, noise, offset, count);
  if (plain && sum.terms == 4) return add_up_to<T, 4>(sum, noise, offset, count);
  return add_up_to<T, 0>(sum, noise, offset, count);
}

bool add_up_float(const Sum<float>& sum, const float* noise, std::int64_t offset,
                  std::int64_t count) {
  return add_up_any(sum, noise, offset, count);
}
bool add_up_double(const Sum<double>& sum, const double* noise, std::int64_t offset,
                   std::int64_t count) {
  return add_up_any(sum, noise, offset, count);
}

}  // namespace gradatim::process::host::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::process::host {

HWY_EXPORT(add_up_float);
HWY_EXPORT(add_up_double);

bool add_up(const Sum<float>& sum, const float* noise, std::int64_t offset, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(add_up_float)(sum, noise, offset, count);
}
bool add_up(const Sum<double>& sum, const double* noise, std::int64_t offset, std::int64_t count) {
  return HWY_DYNAMIC_DISPATCH(add_up_double)(sum, noise, offset, count);
}

namespace {

template <class T>
double dot_in_lanes(const T* a, const T* b, std::int64_t count) {
  double lane[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (int j = 0; j < 8; ++j) lane[j] += double{a[i + j]} * double{b[i + j]};
  }
  for (int j = 0; i < count; ++i, ++j) lane[j] += double{a[i]} * double{b[i]};
  return ((lane[0] + lane[1]) + (lane[2] + lane[3])) + ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

template <class T>
double deviation_of(const T* a, std::int64_t count) {
  if (count < 2) return 0.0;
  double mean = 0.0;
  for (std::int64_t i = 0; i < count; ++i) mean += double{a[i]};
  mean /= static_cast<double>(count);
  double squares = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    squares += (double{a[i]} - mean) * (double{a[i]} - mean);
  }
  return std::sqrt(squares / static_cast<double>(count - 1));
}

}  // namespace

double dot(const float* a, const float* b, std::int64_t count) { return dot_in_lanes(a, b, count); }
double dot(const double* a, const double* b, std::int64_t count) {
  return dot_in_lanes(a, b, count);
}
double deviation(const float* a, std::int64_t count) { return deviation_of(a, count); }
double deviation(const double* a, std::int64_t count) { return deviation_of(a, count); }

}  // namespace gradatim::process::host
#endif
