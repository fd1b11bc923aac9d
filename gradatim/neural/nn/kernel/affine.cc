#include "gradatim/neural/nn/kernel/affine.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/affine.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// behind highway.h
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kPart = 64;  // numbers at a time

// tanh(a / bound), and exp(bound of it), or its inverse.
struct Scales {
  HWY_ALIGN float a[kPart] = {}, tanh[kPart], exp[kPart];

  void work_out(float bound, bool inverse) {
    const hn::ScalableTag<float> d;
    const auto to = hn::Set(d, 1.0F / bound), back = hn::Set(d, inverse ? -bound : bound);
    for (std::int64_t k = 0; k < kPart; k += static_cast<std::int64_t>(hn::Lanes(d))) {
      const auto t = hn::Tanh(d, hn::Mul(hn::Load(d, a + k), to));
      hn::Store(t, d, tanh + k);
      hn::Store(hn::Exp(d, hn::Mul(t, back)), d, exp + k);
    }
  }
};

// Calls f(place in x, row, place of a, place of b, place in the part) for up to kPart numbers at a
// time, behind work_out().
template <class F>
void for_numbers(const Affine& affine, std::int64_t first, std::int64_t last, bool inverse,
                 const F& f) {
  Scales scales;
  const std::int64_t n = affine.numbers;
  for (std::int64_t from = first * n; from < last * n; from += kPart) {
    const std::int64_t end = std::min(last * n, from + kPart);
    const auto each = [&](const auto& g) {
      std::int64_t row = from / n, column = from % n;
      for (std::int64_t at = from; at < end; ++at) {
        g(at, row, row * 2 * n + column);
        if (++column == n) {
          column = 0;
          ++row;
        }
      }
    };
    each([&](auto at, auto, auto a) { scales.a[at - from] = affine.parameters[a]; });
    scales.work_out(affine.bound, inverse);
    each([&](auto at, auto row, auto a) {
      f(at, row, a, scales.tanh[at - from], scales.exp[at - from]);
    });
  }
}

template <bool inverse>
void affine_pass(const Affine& affine, std::int64_t first, std::int64_t last, const float* in,
                 float* out, float* log_det) {
  std::fill(log_det + first, log_det + last, 0.0F);
  const float sign = inverse ? -affine.bound : affine.bound;
  for_numbers(affine, first, last, inverse, [&](auto at, auto row, auto a, float tanh, float exp) {
    const float b = affine.parameters[a + affine.numbers];
    out[at] = inverse ? (in[at] - b) * exp : in[at] * exp + b;
    log_det[row] += sign * tanh;
  });
}

void affine_forward(const Affine& affine, std::int64_t first, std::int64_t last, const float* x,
                    float* y, float* log_det) {
  affine_pass<false>(affine, first, last, x, y, log_det);
}
void affine_back(const Affine& affine, std::int64_t first, std::int64_t last, const float* y,
                 float* x, float* log_det) {
  affine_pass<true>(affine, first, last, y, x, log_det);
}

void affine_gradient(const Affine& affine, std::int64_t first, std::int64_t last, const float* x,
                     const AffineGradient& by) {
  const float sign = by.inverse ? -1.0F : 1.0F;
  for_numbers(affine, first, last, by.inverse,
              [&](auto at, auto row, auto a, float tanh, float exp) {
                const float in = by.out[at] * exp;
                by.in[at] = in;
                // dy = exp(s) (dx + x ds) + db; dx = exp(-s) (dy - db) - x ds
                const float by_s = by.inverse ? -by.out[at] * x[at] : in * x[at];
                by.parameters[a] = (by_s + sign * by.log_det[row]) * (1.0F - tanh * tanh);
                by.parameters[a + affine.numbers] = by.inverse ? -in : by.out[at];
              });
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(affine_forward);
HWY_EXPORT(affine_back);
HWY_EXPORT(affine_gradient);

void affine(const Affine& affine, std::int64_t first, std::int64_t last, const float* x, float* y,
            float* log_det) {
  HWY_DYNAMIC_DISPATCH(affine_forward)(affine, first, last, x, y, log_det);
}
void affine_inverse(const Affine& affine, std::int64_t first, std::int64_t last, const float* y,
                    float* x, float* log_det) {
  HWY_DYNAMIC_DISPATCH(affine_back)(affine, first, last, y, x, log_det);
}
void affine_backward(const Affine& affine, std::int64_t first, std::int64_t last, const float* x,
                     const AffineGradient& gradient) {
  HWY_DYNAMIC_DISPATCH(affine_gradient)(affine, first, last, x, gradient);
}

}  // namespace gradatim::neural::kernel
#endif
