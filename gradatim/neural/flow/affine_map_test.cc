// The kernel of affine maps against torch, which the map asks for numbers of double precision.
#include <gtest/gtest.h>

#include "gradatim/neural/flow/random_flow_testing.h"
#include "gradatim/neural/flow/scalar_map.h"

namespace gradatim::neural {
namespace {

struct AffineSizes {
  std::int64_t rows, numbers;
};

class AffineMapTest : public ::testing::TestWithParam<AffineSizes> {};

TEST_P(AffineMapTest, ValuesAndGradientsAreThoseOfTorch) {
  const auto [rows, numbers] = GetParam();
  const Tensor x = testing::normal_tensor({rows, numbers}, 1);
  const Tensor parameters = testing::normal_tensor({rows, 2, numbers}, 2) * 3.0;
  const auto map = affine_map(2.5);
  for (const bool inverse : {false, true}) {
    const at::AutoGradMode graph(true);
    std::vector<Tensor> found[2];
    for (const auto kind : {at::kFloat, at::kDouble}) {
      const Tensor from = x.to(kind, false, true).requires_grad_();
      const Tensor told = parameters.to(kind, false, true).requires_grad_();
      const Moved moved = inverse ? map->inverse(from, told) : map->forward(from, told);
      const Tensor loss = (moved.x * testing::normal_tensor({rows, numbers}, 3)).sum() +
                          (moved.log_det * testing::normal_tensor({rows}, 4)).sum();
      const auto by = torch::autograd::grad({loss}, {from, told});
      found[kind == at::kDouble] = {moved.x.detach(), moved.log_det.detach(), by[0], by[1]};
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const Tensor &own = found[0][k], &plain = found[1][k];
      EXPECT_LT((own - plain).abs().max().item<double>(), 3e-6 * plain.abs().max().item<double>())
          << k << (inverse ? " of the inverse" : "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, AffineMapTest,
                         ::testing::Values(AffineSizes{1, 1}, AffineSizes{300, 1},
                                           AffineSizes{7, 3}, AffineSizes{20, 100}));

}  // namespace
}  // namespace gradatim::neural
