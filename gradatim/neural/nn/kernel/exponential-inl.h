// exp of vectors of float32, to two units in the last place, for any number of at most 87; smaller
// than -87 counts as -87, and NaN stays NaN. Half the work of Highway's, which serves all numbers.
//
// Included once for each target of Highway, as its own files of this kind are.
#if defined(GRADATIM_NEURAL_EXPONENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GRADATIM_NEURAL_EXPONENTIAL_INL_H_
#undef GRADATIM_NEURAL_EXPONENTIAL_INL_H_
#else
#define GRADATIM_NEURAL_EXPONENTIAL_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {

// 2^n p(f) with x log2(e) = n + f, p the series of 2^f for |f| <= 1/2.
template <class D, class V>
HWY_INLINE V exponential(D d, V given) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> whole;
  const V x = hn::Max(given, hn::Set(d, -87.0F));                            // of NaN, either
  const V high = hn::Set(d, 1.44269504F), low = hn::Set(d, 1.92596299e-8F);  // log2(e)
  // Added to a number, this rounds it to a whole one, which then lies in the lowest bits.
  const V magic = hn::Set(d, 12582912.0F);
  const V rounded = hn::MulAdd(x, high, magic);
  const V f = hn::MulAdd(x, low, hn::MulSub(x, high, hn::Sub(rounded, magic)));
  V p = hn::Set(d, 1.5403530e-4F);
  p = hn::MulAdd(p, f, hn::Set(d, 1.3333558e-3F));
  p = hn::MulAdd(p, f, hn::Set(d, 9.6181291e-3F));
  p = hn::MulAdd(p, f, hn::Set(d, 5.5504109e-2F));
  p = hn::MulAdd(p, f, hn::Set(d, 2.4022651e-1F));
  p = hn::MulAdd(p, f, hn::Set(d, 6.9314718e-1F));
  p = hn::MulAdd(p, f, hn::Set(d, 1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(whole, rounded));
  const V result = hn::BitCast(d, hn::Add(hn::BitCast(whole, p), exponent));
  return hn::IfThenElse(hn::IsNaN(given), given, result);
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
