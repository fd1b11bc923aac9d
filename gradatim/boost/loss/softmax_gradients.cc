#include "gradatim/boost/loss/softmax_gradients.h"

#include <algorithm>
#include <vector>

#include "gradatim/core/math.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gradatim/boost/loss/softmax_gradients.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

// Plain loops over rows; each SIMD target compiles its own vectors from them.
HWY_BEFORE_NAMESPACE();
namespace gradatim::boost::HWY_NAMESPACE {

constexpr std::int64_t kRows = 256;

// z <- e^{F_k - max F} of `count` rows, and their sums over k.  // [outputs][kRows]
void exponentials(const double* score, std::int64_t stride, int outputs, std::int64_t count,
                  double* z, double* sum) {
  double most[kRows];
  for (std::int64_t i = 0; i < count; ++i) most[i] = score[i];
  for (int k = 1; k < outputs; ++k) {
    const double* f = score + k * stride;
    for (std::int64_t i = 0; i < count; ++i) most[i] = most[i] < f[i] ? f[i] : most[i];
  }
  for (std::int64_t i = 0; i < count; ++i) sum[i] = 0.0;
  for (int k = 0; k < outputs; ++k) {
    const double* f = score + k * stride;
    double* e = z + k * kRows;
    for (std::int64_t i = 0; i < count; ++i) e[i] = math::exp(f[i] - most[i]);
    for (std::int64_t i = 0; i < count; ++i) sum[i] += e[i];
  }
}

// kHard: labels are classes, and y_k is whether it is class k; else they are y_k.
template <bool kHard>
void differences(const double* e, const double* sum, const float* label, float k,
                 std::int64_t count, float* g, float* h) {
  for (std::int64_t i = 0; i < count; ++i) {
    const double p = e[i] / sum[i];
    const double y = kHard ? (label[i] == k ? 1.0 : 0.0) : double{label[i]};
    const double curvature = 2.0 * p * (1.0 - p);
    g[i] = static_cast<float>(p - y);
    h[i] = static_cast<float>(curvature < 1e-16 ? 1e-16 : curvature);
  }
}

void softmax_rows(const GradientBlock& block) {
  std::vector<double> z(kRows * block.outputs);
  double sum[kRows];
  for (std::int64_t begin = 0; begin < block.rows; begin += kRows) {
    const std::int64_t count = std::min(kRows, block.rows - begin);
    exponentials(block.score + begin, block.stride, block.outputs, count, z.data(), sum);
    for (int k = 0; k < block.outputs; ++k) {
      const std::int64_t at = k * block.stride + begin;
      (block.targets > 1 ? differences<false> : differences<true>)(z.data() + k * kRows, sum,
                                                                   block.label_of(k) + begin,
                                                                   static_cast<float>(k), count,
                                                                   block.g + at, block.h + at);
    }
  }
}

}  // namespace gradatim::boost::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gradatim::boost {

HWY_EXPORT(softmax_rows);

void softmax_gradients(const GradientBlock& block) { HWY_DYNAMIC_DISPATCH(softmax_rows)(block); }

}  // namespace gradatim::boost
#endif
