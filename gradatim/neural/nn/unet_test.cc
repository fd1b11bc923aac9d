#include <gtest/gtest.h>

#include <cmath>

#include "gradatim/core/simd.h"
#include "gradatim/neural/nn/unet_testing.h"

namespace gradatim::neural {
namespace {

// channels with rests behind whole vectors, groups across the seam of a skip connection
const testing::UnetOptions kSmall = {{"channels", "12,24"},
                                     {"norm_groups", "3"},
                                     {"head_width", "6"},
                                     {"layers", "1"},
                                     {"zero_init", "false"}};

const NetworkShape kShape{.sample = {2, 6, 10}, .classes = 3, .outputs = 2, .seed = 4};

TEST(Unet, FusedLayersEqualPlainOnesInEveryOption) {
  const testing::UnetOptions kOptions[] = {
      {},
      {{"scale_shift", "false"}},
      {{"middle_norm_groups", "0"}, {"middle_scale", "1.5"}},
      {{"attention", "0,1"}, {"head_width", "0"}},
      {{"resnet_downsampling", "0"}, {"resnet_upsampling", "1"}},
      {{"time", "fourier"}, {"center_input", "true"}, {"downsample_padding", "0"}},
      {{"channels", "32,48"}, {"norm_groups", "16"}, {"head_width", "16"}},
  };
  for (const testing::UnetOptions& options : kOptions) {
    SCOPED_TRACE(options.empty() ? "defaults" : options.front().first);
    testing::expect_fused_equals_plain(testing::with_more(kSmall, options), kShape);
  }
}

TEST(Unet, FusedLayersEqualPlainOnesOnEverySimdTarget) {
  for (const Simd most : {Simd::portable, Simd::avx2}) {
    const SimdLimit limit(most);
    testing::expect_fused_equals_plain(kSmall, kShape);
  }
}

TEST(Unet, DropoutIsAFunctionOfItsDraws) {
  const testing::UnetOptions options = testing::with_more(kSmall, {{"dropout", "0.4"}});
  const Philox draws(3, Stream::dropout_units, 7);
  testing::expect_fused_equals_plain(options, kShape, draws);
  const auto net = testing::make_unet(options, kShape);
  NetInput in = testing::unet_input(kShape, 2);
  const Tensor whole = net->forward(in);
  in.dropout = draws;
  const Tensor dropped = net->forward(in);
  EXPECT_TRUE(at::equal(dropped, net->forward(in)));
  EXPECT_GT(testing::how_far(dropped, whole), 1e-3);
}

TEST(Unet, OutputsDoNotDependOnTheOtherRows) {
  const auto net = testing::make_unet(kSmall, kShape);
  NetInput in = testing::unet_input(kShape, 5);
  const Tensor all = net->forward(in);
  const NetInput one{in.x.narrow(0, 3, 1), in.t.narrow(0, 3, 1), in.labels.narrow(0, 3, 1)};
  EXPECT_LT(testing::how_far(net->forward(one), all.narrow(0, 3, 1)), 1e-5);
}

TEST(Unet, BeginsAtZeroAsAdmDoes) {
  const auto net = testing::make_unet(testing::with_more(kSmall, {{"zero_init", "true"}}), kShape);
  EXPECT_EQ(net->forward(testing::unet_input(kShape, 2)).abs().max().item<float>(), 0.0F);
}

// UNet2DModel(sample_size=4, in_channels=1, out_channels=1, block_out_channels=(4, 8),
// layers_per_block=1, norm_num_groups=2, attention_head_dim=4, num_class_embeds=3,
// resnet_time_scale_shift="scale_shift", DownBlock2D, AttnDownBlock2D and their like) of diffusers
// 0.42.1 in float64; element i of a parameter is 0.3 sin(1.3 i + the sum of its name's bytes).
TEST(Unet, OutputsAndGradientsAreThoseOfDiffusers) {
  const NetworkShape shape{.sample = {1, 4, 4}, .classes = 2};
  const auto net = testing::make_unet({{"channels", "4,8"},
                                       {"layers", "1"},
                                       {"norm_groups", "2"},
                                       {"head_width", "4"},
                                       {"attention", "1"},
                                       {"middle_norm_groups", "0"}},
                                      shape);
  const auto gradients = testing::fill_by_name(*net);
  const NetInput in{at::cos(at::arange(32, at::kDouble) * 0.7).view({2, 1, 4, 4}).to(at::kFloat),
                    at::tensor({3.0F, 800.0F}), at::tensor({0, 2}, at::kLong)};
  const Tensor expected = at::tensor(
      {0.000468F,   -0.0869795F, -0.117169F,  -0.028408F,  -0.0275216F, 0.1350781F,  0.1178809F,
       -0.0769841F, -0.0904302F, -0.3218963F, -0.3034372F, -0.1380959F, -0.1512172F, -0.0383716F,
       -0.1062684F, -0.2891659F, -0.0241547F, 0.1176889F,  -0.0103104F, -0.064419F,  -0.154726F,
       -0.2437677F, 0.0590895F,  0.0295141F,  0.1214312F,  0.0266681F,  -0.3389388F, -0.2464058F,
       -0.3141689F, -0.1976911F, 0.0286806F,  -0.1685058F});
  const Tensor out = net->run(in);
  EXPECT_LT((out.flatten() - expected).abs().max().item<double>(), 1e-6);
  net->backward(out * (2.0 / 32.0));
  const auto sum_of = [&](const char* name) {
    return gradients.at(name).abs().sum().item<double>();
  };
  EXPECT_NEAR(sum_of("conv_in.weight"), 0.1035929109908181, 1e-6);
  EXPECT_NEAR(sum_of("class_embedding.weight"), 0.005755322000852473, 1e-7);
  EXPECT_NEAR(sum_of("down_blocks.1.resnets.0.time_emb_proj.weight"), 0.0005774193382048797, 1e-8);
  EXPECT_NEAR(sum_of("up_blocks.1.resnets.1.conv_shortcut.weight"), 0.17339392307544582, 2e-6);
}

TEST(Unet, RefusesShapesAndSettingsThatDoNotFit) {
  testing::expect_unet_refused(1165, {}, {.sample = {1, 3, 32}});
  testing::expect_unet_refused(1165, {}, {.sample = {784}});
  testing::expect_unet_refused(1166, {{"norm_groups", "24"}}, {.sample = {1, 32, 32}});
  testing::expect_unet_refused(1166, {{"head_width", "48"}}, {.sample = {1, 32, 32}});
  testing::expect_unet_refused(1166, {{"channels", "[]"}}, {.sample = {1, 32, 32}});
  testing::expect_unet_refused(1167, {{"attention", "3"}}, {.sample = {1, 32, 32}});
}

TEST(Unet, ALayersOperationsGrowWithTheImages) {
  const double small = testing::make_unet(kSmall, {.sample = {1, 8, 8}})->operations_at_once();
  const double large = testing::make_unet(kSmall, {.sample = {1, 16, 16}})->operations_at_once();
  EXPECT_GT(large, 3.0 * small);  // the layers that see the time alone do not
  EXPECT_LT(large, 4.0 * small);
}

}  // namespace
}  // namespace gradatim::neural
