// The kernel of HostSpace::combine: out = sum c x in the type of the states, term by term in their
// order, by the best SIMD target; without fused multiply-adds, so that every target has the same
// bits.
#pragma once

#include <cstdint>
#include <new>

#include "gradatim/process/form.h"

namespace gradatim::process::host {

template <class T>
struct Sum {
  T* out = nullptr;
  int terms = 0;
  double c[Form::kMost];
  const T* x[Form::kMost];
  const T* weight[Form::kMost];  // or null
  double noise = 0.0;            // factor of the noise buffer
  const T* noise_weight = nullptr;
  bool past_caches = false;  // write to memory without reading the lines first
};

inline constexpr std::align_val_t kAlignment{64};

/// Elements [offset, offset + count); `noise` has `count` numbers. Whether all are finite.
bool add_up(const Sum<float>& sum, const float* noise, std::int64_t offset, std::int64_t count);
bool add_up(const Sum<double>& sum, const double* noise, std::int64_t offset, std::int64_t count);

/// Sums in eight lanes by place, then in a fixed order: the same bits on every target.
double dot(const float* a, const float* b, std::int64_t count);
double dot(const double* a, const double* b, std::int64_t count);
/// Unbiased standard deviation, in two passes; 0 for one element.
double deviation(const float* a, std::int64_t count);
double deviation(const double* a, std::int64_t count);

}  // namespace gradatim::process::host
