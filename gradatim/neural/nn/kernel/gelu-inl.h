// gelu(z) = z P(normal < z), of vectors of float32, and its derivatives.
//
// Included once for each target of Highway, as its own files of this kind are.
#if defined(GRADATIM_NEURAL_GELU_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADATIM_NEURAL_GELU_INL_H_
#undef GRADATIM_NEURAL_GELU_INL_H_
#else
#define GRADATIM_NEURAL_GELU_INL_H_
#endif

#include "gradatim/neural/nn/kernel/exponential-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

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
    return exponential(d, hn::Mul(hn::Mul(z, z), hn::Set(d, -0.5F)));
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
  template <class D, class V>
  V curvature(D d, V z) const {
    const V bend = hn::NegMulAdd(z, z, hn::Set(d, 2.0F));
    return hn::Mul(hn::Mul(gauss(d, z), hn::Set(d, 0.3989422804F)), bend);
  }
};

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
