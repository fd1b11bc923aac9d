#include "gradatim/neural/nn/kernel/adamw.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/neural/nn/kernel/adamw.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::neural::kernel::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many numbers as the tag has, from place k on.
template <class D>
void update(D d, const AdamwNumbers& at, std::int64_t k, const AdamwFactors& f) {
  const auto set = [d](float x) { return hn::Set(d, x); };
  const auto gradient = hn::Mul(hn::LoadU(d, at.gradient + k), set(f.gradient));
  auto mean = hn::LoadU(d, at.mean + k), square = hn::LoadU(d, at.square + k);
  mean = hn::MulAdd(hn::Sub(gradient, mean), set(f.other_mean), mean);
  square =
      hn::MulAdd(square, set(f.square), hn::Mul(hn::Mul(gradient, gradient), set(f.other_square)));
  const auto width = hn::MulAdd(hn::Sqrt(square), set(f.root), set(f.epsilon));
  auto value = hn::Mul(hn::LoadU(d, at.value + k), set(f.keep));
  value = hn::NegMulAdd(set(f.step), hn::Div(mean, width), value);
  hn::StoreU(mean, d, at.mean + k);
  hn::StoreU(square, d, at.square + k);
  hn::StoreU(value, d, at.value + k);
  hn::StoreU(hn::Zero(d), d, at.gradient + k);
  if (at.average == nullptr) return;
  const auto average = hn::LoadU(d, at.average + k);
  hn::StoreU(hn::MulAdd(hn::Sub(value, average), set(f.follow), average), d, at.average + k);
}

void adamw(const AdamwNumbers& at, std::int64_t count, const AdamwFactors& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t k = 0;
  for (; k + lanes <= count; k += lanes) update(d, at, k, f);
  for (; k < count; ++k) update(one, at, k, f);
}

}  // namespace gradatim::neural::kernel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::neural::kernel {

HWY_EXPORT(adamw);

void adamw(const AdamwNumbers& numbers, std::int64_t count, const AdamwFactors& factors) {
  HWY_DYNAMIC_DISPATCH(adamw)(numbers, count, factors);
}

}  // namespace gradatim::neural::kernel
#endif
