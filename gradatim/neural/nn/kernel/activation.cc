#include "gradatim/neural/nn/kernel/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// behind highway.h
#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Each gives a(z), and the derivative at z.
template <class D, class V>
V sigmoid(D d, V z) {
  return hn::Div(hn::Set(d, 1.0F), hn::Add(hn::Set(d, 1.0F), hn::Exp(d, hn::Neg(z))));
}

struct Silu {
  template <class D, class V>
  V value(D d, V z) const {
    return hn::Mul(z, sigmoid(d, z));
  }
  template <class D, class V>
  V slope(D d, V z) const {
    const V s = sigmoid(d, z);
    return hn::Mul(s, hn::Add(hn::Set(d, 1.0F), hn::Mul(z, hn::Sub(hn::Set(d, 1.0F), s))));
  }
};

// erf by Abramowitz and Stegun 7.1.26, within 1.5e-7, and the normal density beside it.
struct Gelu {
  template <class D, class V>
  V normal_cdf(D d, V z, V gauss) const {  // gauss = exp(-z^2 / 2)
    const auto c = [d](float x) { return hn::Set(d, x); };
    const V x = hn::Mul(hn::Abs(z), c(0.70710678F));
    const V t = hn::Div(c(1.0F), hn::MulAdd(c(0.3275911F), x, c(1.0F)));
    V p = hn::MulAdd(c(1.061405429F), t, c(-1.453152027F));
    p = hn::MulAdd(p, t, c(1.421413741F));
    p = hn::MulAdd(p, t, c(-0.284496736F));
    p = hn::MulAdd(p, t, c(0.254829592F));
    const V tail = hn::Mul(c(0.5F), hn::Mul(hn::Mul(p, t), gauss));  // of |z|
    return hn::IfThenElse(hn::Lt(z, hn::Zero(d)), tail, hn::Sub(c(1.0F), tail));
  }
  template <class D, class V>
  V gauss(D d, V z) const {
    return hn::Exp(d, hn::Mul(hn::Mul(z, z), hn::Set(d, -0.5F)));
  }
  template <class D, class V>
  V value(D d, V z) const {
    return hn::Mul(z, normal_cdf(d, z, gauss(d, z)));
  }
  template <class D, class V>
  V slope(D d, V z) const {
    const V g = gauss(d, z);
    return hn::Add(normal_cdf(d, z, g), hn::Mul(hn::Mul(z, g), hn::Set(d, 0.3989422804F)));
  }
};

struct Relu {
  template <class D, class V>
  V value(D d, V z) const {
    return hn::Max(z, hn::Zero(d));
  }
  template <class D, class V>
  V slope(D d, V z) const {
    return hn::IfThenElseZero(hn::Gt(z, hn::Zero(d)), hn::Set(d, 1.0F));
  }
};

struct Selu {
  static constexpr float kScale = 1.0507009873554805F, kAlpha = 1.6732632423543772F;
  template <class D, class V>
  V value(D d, V z) const {
    const V low = hn::Mul(hn::Sub(hn::Exp(d, z), hn::Set(d, 1.0F)), hn::Set(d, kScale * kAlpha));
    return hn::IfThenElse(hn::Gt(z, hn::Zero(d)), hn::Mul(z, hn::Set(d, kScale)), low);
  }
  template <class D, class V>
  V slope(D d, V z) const {
    const V low = hn::Mul(hn::Exp(d, z), hn::Set(d, kScale * kAlpha));
    return hn::IfThenElse(hn::Gt(z, hn::Zero(d)), hn::Set(d, kScale), low);
  }
};

struct Tanh {
  template <class D, class V>
  V value(D d, V z) const {
    return hn::Tanh(d, z);
  }
  template <class D, class V>
  V slope(D d, V z) const {
    const V a = hn::Tanh(d, z);
    return hn::Sub(hn::Set(d, 1.0F), hn::Mul(a, a));
  }
};

// Calls f with the functor of the kind: once a call, inlined once a number.
template <class F>
void with(Activation kind, const F& f) {
  switch (kind) {
    case Activation::silu: return f(Silu{});
    case Activation::gelu: return f(Gelu{});
    case Activation::relu: return f(Relu{});
    case Activation::selu: return f(Selu{});
    case Activation::tanh: return f(Tanh{});
  }
}

// f(d, k) over a row; rows end in vectors of one number.
template <class F>
HWY_INLINE void over_row(std::int64_t width, const F& f) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
  for (; k + lanes <= width; k += lanes) f(d, k);
  for (; k < width; ++k) f(hn::CappedTag<float, 1>(), k);
}

void add_bias_activate(Activation kind, const float* bias, float* z, float* a, std::int64_t rows,
                       std::int64_t width) {
  with(kind, [&](auto activation) {
    for (std::int64_t row = 0; row < rows; ++row, z += width, a += width) {
      over_row(width, [&](auto d, std::int64_t k) {
        const auto sum = hn::Add(hn::LoadU(d, z + k), hn::LoadU(d, bias + k));
        hn::StoreU(sum, d, z + k);
        hn::StoreU(activation.value(d, sum), d, a + k);
      });
    }
  });
}

void activation_backward(Activation kind, const float* z, float* gradient, float* bias_gradient,
                         std::int64_t rows, std::int64_t width) {
  with(kind, [&](auto activation) {
    for (std::int64_t row = 0; row < rows; ++row, z += width, gradient += width) {
      over_row(width, [&](auto d, std::int64_t k) {
        const auto slope = activation.slope(d, hn::LoadU(d, z + k));
        const auto g = hn::Mul(hn::LoadU(d, gradient + k), slope);
        hn::StoreU(g, d, gradient + k);
        hn::StoreU(hn::Add(hn::LoadU(d, bias_gradient + k), g), d, bias_gradient + k);
      });
    }
  });
}

void add_bias(const float* bias, float* x, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, x += width) {
    over_row(width, [&](auto d, std::int64_t k) {
      hn::StoreU(hn::Add(hn::LoadU(d, x + k), hn::LoadU(d, bias + k)), d, x + k);
    });
  }
}

void add_rows(const float* x, float* sum, std::int64_t rows, std::int64_t width) {
  for (std::int64_t row = 0; row < rows; ++row, x += width) {
    over_row(width, [&](auto d, std::int64_t k) {
      hn::StoreU(hn::Add(hn::LoadU(d, sum + k), hn::LoadU(d, x + k)), d, sum + k);
    });
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(add_bias_activate);
HWY_EXPORT(activation_backward);
HWY_EXPORT(add_bias);
HWY_EXPORT(add_rows);

void add_bias_activate(Activation kind, const float* bias, float* z, float* a, std::int64_t rows,
                       std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(add_bias_activate)(kind, bias, z, a, rows, width);
}
void activation_backward(Activation kind, const float* z, float* gradient, float* bias_gradient,
                         std::int64_t rows, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(activation_backward)(kind, z, gradient, bias_gradient, rows, width);
}
void add_bias(const float* bias, float* x, std::int64_t rows, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(add_bias)(bias, x, rows, width);
}
void add_rows(const float* x, float* sum, std::int64_t rows, std::int64_t width) {
  HWY_DYNAMIC_DISPATCH(add_rows)(x, sum, rows, width);
}

}  // namespace gradatim::neural::kernel
#endif
