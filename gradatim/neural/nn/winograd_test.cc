#include "gradatim/neural/nn/winograd.h"

#include <gtest/gtest.h>

#include "gradatim/core/simd.h"

namespace gradatim::neural {
namespace {

// Of the largest number.
double winograd_error(std::int64_t in, std::int64_t out, at::IntArrayRef sizes) {
  at::manual_seed(3);
  const Tensor x =
      at::randn({sizes[0], in, sizes[1], sizes[2]}).contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor filters = at::randn({out, in, 3, 3}), bias = at::randn({out});
  const Tensor exact =
      at::conv2d(x.to(at::kDouble), filters.to(at::kDouble), bias.to(at::kDouble), 1, 1);
  const Tensor found = Winograd(filters)(x, bias);
  EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast));
  return ((found - exact).abs().max() / exact.abs().max()).item<double>();
}

TEST(Winograd, IsTheConvolutionForImagesOfEverySize) {
  for (const auto& [rows, height, width] :
       {std::tuple{1, 4, 4}, {2, 8, 12}, {1, 7, 5}, {3, 1, 1}, {1, 2, 33}, {2, 17, 10}}) {
    EXPECT_LT(winograd_error(16, 32, {rows, height, width}), 1e-5) << height << " x " << width;
  }
}

TEST(Winograd, IsTheConvolutionInSeveralParts) {
  EXPECT_LT(winograd_error(320, 320, {1, 68, 66}), 1e-5);
}

TEST(Winograd, IsTheConvolutionOnEveryProcessor) {
  for (const Simd most : {Simd::avx2, Simd::portable}) {
    const SimdLimit limit(most);
    EXPECT_LT(winograd_error(32, 16, {2, 9, 14}), 1e-5);
  }
}

TEST(Winograd, IsForFiltersOfThreeWithLargeImages) {
  const Sliding same{.stride = 1, .padding = 1};
  EXPECT_TRUE(Winograd::suits({320, 640, 3, 3}, {2, 640, 64, 64}, same));
  EXPECT_FALSE(Winograd::suits({1280, 1280, 3, 3}, {2, 1280, 16, 16}, same));
  EXPECT_FALSE(Winograd::suits({320, 4, 3, 3}, {2, 4, 64, 64}, same));
  EXPECT_FALSE(Winograd::suits({320, 320, 1, 1}, {2, 320, 64, 64}, {.stride = 1, .padding = 0}));
  EXPECT_FALSE(Winograd::suits({320, 320, 3, 3}, {2, 320, 64, 64}, {.stride = 2, .padding = 1}));
}

}  // namespace
}  // namespace gradatim::neural
