#include "gradatim/neural/nn/kernel/geglu.h"

#include <ATen/Parallel.h>

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/geglu.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// Behind foreach_target.h.
#include "gradatim/neural/nn/kernel/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Places k on, as far as whole vectors go; returns where they end.
template <class D>
std::int64_t forward_places(D d, std::int64_t k, std::int64_t inner, const float* x, float* out) {
  const Gelu gelu;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  for (; k + step <= inner; k += step) {
    const auto value = hn::LoadU(d, x + k), gate = hn::LoadU(d, x + inner + k);
    hn::StoreU(hn::Mul(value, gelu.value(d, gate)), d, out + k);
  }
  return k;
}

template <class D>
std::int64_t backward_places(D d, std::int64_t k, std::int64_t inner, const float* x,
                             const float* dout, float* dx) {
  const Gelu gelu;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  for (; k + step <= inner; k += step) {
    const auto value = hn::LoadU(d, x + k), gate = hn::LoadU(d, x + inner + k);
    const auto change = hn::LoadU(d, dout + k);
    hn::StoreU(hn::Mul(change, gelu.value(d, gate)), d, dx + k);
    hn::StoreU(hn::Mul(change, hn::Mul(value, gelu.slope(d, gate))), d, dx + inner + k);
  }
  return k;
}

void forward_row(std::int64_t inner, const float* x, float* out) {
  const std::int64_t rest = forward_places(hn::ScalableTag<float>(), 0, inner, x, out);
  forward_places(hn::CappedTag<float, 1>(), rest, inner, x, out);
}

void backward_row(std::int64_t inner, const float* x, const float* dout, float* dx) {
  const std::int64_t rest = backward_places(hn::ScalableTag<float>(), 0, inner, x, dout, dx);
  backward_places(hn::CappedTag<float, 1>(), rest, inner, x, dout, dx);
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {
namespace {

// Rows that a thread takes at least.
std::int64_t grain(std::int64_t inner) { return std::max<std::int64_t>(1, 16384 / inner); }

}  // namespace

HWY_EXPORT(forward_row);
HWY_EXPORT(backward_row);

void geglu(std::int64_t rows, std::int64_t inner, const float* x, float* out) {
  at::parallel_for(0, rows, grain(inner), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      HWY_DYNAMIC_DISPATCH(forward_row)(inner, x + row * 2 * inner, out + row * inner);
    }
  });
}

void geglu_backward(std::int64_t rows, std::int64_t inner, const float* x, const float* dout,
                    float* dx) {
  at::parallel_for(0, rows, grain(inner), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      HWY_DYNAMIC_DISPATCH(backward_row)
      (inner, x + row * 2 * inner, dout + row * inner, dx + row * 2 * inner);
    }
  });
}

}  // namespace gradatim::neural::kernel
#endif
