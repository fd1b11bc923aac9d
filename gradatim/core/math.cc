#include "gradatim/core/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/core/math.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace gradatim::math::HWY_NAMESPACE {

// Plain loops: the compiler turns them into this target's vectors.
void exp_loop(double* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = math::exp(x[i]);
}
void sigmoid_loop(double* x, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) x[i] = math::sigmoid(x[i]);
}

}  // namespace gradatim::math::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::math {

HWY_EXPORT(exp_loop);
HWY_EXPORT(sigmoid_loop);

void exp_all(std::span<double> x) { HWY_DYNAMIC_DISPATCH(exp_loop)(x.data(), x.size()); }
void sigmoid_all(std::span<double> x) { HWY_DYNAMIC_DISPATCH(sigmoid_loop)(x.data(), x.size()); }

}  // namespace gradatim::math
#endif
