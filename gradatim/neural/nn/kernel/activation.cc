#include "gradatim/neural/nn/kernel/activation.h"

#include "gradatim/neural/nn/kernel/product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/activation.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>
// behind highway.h
#include <hwy/contrib/math/math-inl.h>

#include "gradatim/neural/nn/kernel/exponential-inl.h"
#include "gradatim/neural/nn/kernel/gelu-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Each gives a(z), and the derivative at z.
template <class D, class V>
V two_to_the(D d, V x) {
  // 2^n p(f) with x = n + f, as exponential-inl.h has it, by a polynomial within 1.6e-7 of 2^f.
  const hn::RebindToSigned<D> whole;
  const V magic = hn::Set(d, 12582912.0F);
  const V rounded = hn::Add(x, magic);
  const V f = hn::Sub(x, hn::Sub(rounded, magic));
  V p = hn::Set(d, 1.33908634e-3F);
  p = hn::MulAdd(p, f, hn::Set(d, 9.67603192e-3F));
  p = hn::MulAdd(p, f, hn::Set(d, 5.55035711e-2F));
  p = hn::MulAdd(p, f, hn::Set(d, 2.40221075e-1F));
  p = hn::MulAdd(p, f, hn::Set(d, 6.93147188e-1F));
  p = hn::MulAdd(p, f, hn::Set(d, 1.00000008F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(whole, rounded));
  return hn::BitCast(d, hn::Add(hn::BitCast(whole, p), exponent));
}

// 1 / (1 + e^-z); of NaN some number, which its callers multiply by z.
template <class D, class V>
V sigmoid(D d, V z) {
  const V most = hn::Set(d, 126.0F), least = hn::Set(d, -126.0F);
  const V x = hn::Min(hn::Max(hn::Mul(z, hn::Set(d, -1.44269504F)), least), most);
  const V sum = hn::Add(hn::Set(d, 1.0F), two_to_the(d, x));
#if HWY_ARCH_X86
  // The reciprocal by one step of Newton's, from at least 11 bits, takes a third of a division's
  // time.
  const V guess = hn::ApproximateReciprocal(sum);
  return hn::Mul(guess, hn::NegMulAdd(sum, guess, hn::Set(d, 2.0F)));
#else
  return hn::Div(hn::Set(d, 1.0F), sum);
#endif
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
  // s (1 - s) (2 + z (1 - 2 s))
  template <class D, class V>
  V curvature(D d, V z) const {
    const V s = sigmoid(d, z), one = hn::Set(d, 1.0F), two = hn::Set(d, 2.0F);
    const V bend = hn::MulAdd(z, hn::NegMulAdd(two, s, one), two);
    return hn::Mul(hn::Mul(s, hn::Sub(one, s)), bend);
  }
};

struct Relu {
  template <class D, class V>
  V value(D d, V z) const {
    return hn::IfThenElse(hn::Lt(z, hn::Zero(d)), hn::Zero(d), z);  // NaN of NaN
  }
  template <class D, class V>
  V slope(D d, V z) const {
    return hn::IfThenElseZero(hn::Gt(z, hn::Zero(d)), hn::Set(d, 1.0F));
  }
  template <class D, class V>
  V curvature(D d, V) const {
    return hn::Zero(d);
  }
};

struct Selu {
  static constexpr float kScale = 1.0507009873554805F, kAlpha = 1.6732632423543772F;
  template <class D, class V>
  V value(D d, V z) const {
    const V low = hn::Mul(hn::Sub(hn::Exp(d, z), hn::Set(d, 1.0F)), hn::Set(d, kScale * kAlpha));
    return hn::IfThenElse(hn::Lt(z, hn::Zero(d)), low, hn::Mul(z, hn::Set(d, kScale)));
  }
  template <class D, class V>
  V slope(D d, V z) const {
    const V low = hn::Mul(hn::Exp(d, z), hn::Set(d, kScale * kAlpha));
    return hn::IfThenElse(hn::Gt(z, hn::Zero(d)), hn::Set(d, kScale), low);
  }
  template <class D, class V>
  V curvature(D d, V z) const {
    const V low = hn::Mul(hn::Exp(d, z), hn::Set(d, kScale * kAlpha));
    return hn::IfThenElse(hn::Gt(z, hn::Zero(d)), hn::Zero(d), low);
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
  template <class D, class V>
  V curvature(D d, V z) const {
    const V a = hn::Tanh(d, z);
    return hn::Mul(hn::Mul(hn::Set(d, -2.0F), a), hn::NegMulAdd(a, a, hn::Set(d, 1.0F)));
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

// Whole vectors: blocks are a multiple of any.
void activate(Activation kind, const float* z, float* a, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  with(kind, [&](auto activation) {
    for (std::int64_t k = 0; k < count; k += lanes) {
      hn::StoreU(activation.value(d, hn::LoadU(d, z + k)), d, a + k);
    }
  });
}

void activation_backward(Activation kind, const float* z, float* gradient, std::int64_t count) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  with(kind, [&](auto activation) {
    for (std::int64_t k = 0; k < count; k += lanes) {
      const auto slope = activation.slope(d, hn::LoadU(d, z + k));
      hn::StoreU(hn::Mul(hn::LoadU(d, gradient + k), slope), d, gradient + k);
    }
  });
}

void activate_along(Activation kind, std::int64_t directions, std::int64_t count, const float* z,
                    const float* d, float* a, float* along) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  with(kind, [&](auto activation) {
    for (std::int64_t k = 0; k < count; k += lanes) {
      const auto at = hn::LoadU(tag, z + k);
      hn::StoreU(activation.value(tag, at), tag, a + k);
      const auto slope = activation.slope(tag, at);
      for (std::int64_t j = k; j < directions * count; j += count) {
        hn::StoreU(hn::Mul(slope, hn::LoadU(tag, d + j)), tag, along + j);
      }
    }
  });
}

void activation_along_backward(Activation kind, std::int64_t directions, std::int64_t count,
                               const float* z, const float* d, float* gradient,
                               float* along_gradient) {
  const hn::ScalableTag<float> tag;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(tag));
  with(kind, [&](auto activation) {
    for (std::int64_t k = 0; k < count; k += lanes) {
      const auto at = hn::LoadU(tag, z + k);
      const auto slope = activation.slope(tag, at);
      auto bent = hn::Zero(tag);
      for (std::int64_t j = k; j < directions * count; j += count) {
        const auto own = hn::LoadU(tag, along_gradient + j);
        bent = hn::MulAdd(own, hn::LoadU(tag, d + j), bent);
        hn::StoreU(hn::Mul(slope, own), tag, along_gradient + j);
      }
      const auto direct = hn::Mul(slope, hn::LoadU(tag, gradient + k));
      hn::StoreU(hn::MulAdd(activation.curvature(tag, at), bent, direct), tag, gradient + k);
    }
  });
}

void add_sums(const float* x, std::int64_t height, float* sums) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t row = 0; row < height; ++row, x += kBlock) {
    auto sum = hn::LoadU(d, x);
    for (std::int64_t k = lanes; k < kBlock; k += lanes) sum = hn::Add(sum, hn::LoadU(d, x + k));
    sums[row] += hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(activate);
HWY_EXPORT(activation_backward);
HWY_EXPORT(activate_along);
HWY_EXPORT(activation_along_backward);
HWY_EXPORT(add_sums);

void activate(Activation kind, const float* z, float* a, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(activate)(kind, z, a, count);
}
void activation_backward(Activation kind, const float* z, float* gradient, std::int64_t count) {
  HWY_DYNAMIC_DISPATCH(activation_backward)(kind, z, gradient, count);
}
void activate_along(Activation kind, std::int64_t directions, std::int64_t count, const float* z,
                    const float* d, float* a, float* along) {
  HWY_DYNAMIC_DISPATCH(activate_along)(kind, directions, count, z, d, a, along);
}
void activation_along_backward(Activation kind, std::int64_t directions, std::int64_t count,
                               const float* z, const float* d, float* gradient,
                               float* along_gradient) {
  HWY_DYNAMIC_DISPATCH(activation_along_backward)
  (kind, directions, count, z, d, gradient, along_gradient);
}
void add_sums(const float* x, std::int64_t height, float* sums) {
  HWY_DYNAMIC_DISPATCH(add_sums)(x, height, sums);
}

}  // namespace gradatim::neural::kernel
#endif
