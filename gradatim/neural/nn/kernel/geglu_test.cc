#include "gradatim/neural/nn/kernel/geglu.h"

#include <gtest/gtest.h>

#include "gradatim/core/simd.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural::kernel {
namespace {

// Widths with rests behind whole vectors, and gates far out.
TEST(Geglu, IsValueTimesGeluOfTheGateEachWayOnEverySimdTarget) {
  at::manual_seed(3);
  for (const Simd most : {Simd::portable, Simd::avx2}) {
    const SimdLimit limit(most);
    for (const std::int64_t inner : {1, 13, 64}) {
      const std::int64_t rows = 300;
      const Tensor x = (at::randn({rows, 2 * inner}) * 3.0).requires_grad_();
      const Tensor slope = at::randn({rows, inner});
      const auto parts = x.chunk(2, 1);
      const Tensor expected = parts[0] * at::gelu(parts[1]);
      const Tensor change = torch::autograd::grad({expected}, {x}, {slope}).front();
      const Tensor out = at::empty({rows, inner}), dx = at::empty({rows, 2 * inner});
      geglu(rows, inner, x.const_data_ptr<float>(), out.data_ptr<float>());
      geglu_backward(rows, inner, x.const_data_ptr<float>(), slope.const_data_ptr<float>(),
                     dx.data_ptr<float>());
      EXPECT_LT((out - expected).abs().max().item<double>(), 5e-6) << inner;
      EXPECT_LT((dx - change).abs().max().item<double>(), 5e-6) << inner;
    }
  }
}

}  // namespace
}  // namespace gradatim::neural::kernel
