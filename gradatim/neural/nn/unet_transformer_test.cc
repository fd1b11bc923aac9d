#include "gradatim/neural/nn/unet_transformer.h"

#include <cstdlib>
#include <filesystem>

#include "gradatim/core/simd.h"
#include "gradatim/neural/checkpoint/diffusers_folder.h"
#include "gradatim/neural/nn/unet_testing.h"

namespace gradatim::neural {
namespace {

// Rests behind whole vectors, heads of 4 and 6 numbers, and sides that are odd twice.
const testing::UnetOptions kToldSmall = {
    {"channels", "8,12,12"}, {"norm_groups", "2"},       {"heads", "2,3,2"},  {"layers", "1"},
    {"zero_init", "false"},  {"cross_attention", "1,2"}, {"attention", "[]"},
};
const NetworkShape kToldShape{.sample = {2, 7, 10}, .context = 5, .beside = 3, .seed = 4};

void expect_forward_refused(int code, Net& net, const NetInput& in) {
  try {
    net.forward(in);
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

TEST(UnetTransformer, FusedLayersEqualPlainOnesInEveryOption) {
  const testing::UnetOptions kOptions[] = {
      {},
      {{"linear_projection", "true"}, {"transformer_layers", "1,2,3"}},
      {{"attention", "0,1"}, {"cross_attention", "2"}, {"head_width", "4"}},
      {{"cross_attention", "0"}, {"heads", "[]"}, {"head_width", "4"}},
      {{"scale_shift", "false"}, {"middle_attention", "false"}, {"middle_scale", "1.5"}},
      {{"activation", "mish"}, {"middle", "false"}},
      {{"resnet_downsampling", "0,1"}, {"resnet_upsampling", "1,2"}},
      {{"channels", "8,144,12"}, {"heads", "1,2,2"}, {"downsample_padding", "0"}},
  };
  for (const auto& options : kOptions) {
    SCOPED_TRACE(options.empty() ? "defaults" : options.front().first);
    testing::expect_fused_equals_plain(testing::with_more(kToldSmall, options), kToldShape);
  }
  const SimdLimit limit(Simd::portable);
  testing::expect_fused_equals_plain(kToldSmall, kToldShape);
}

// UNet2DConditionModel(sample_size=(5, 6), in_channels=3, out_channels=2, block_out_channels=(4,
// 8), layers_per_block=1, norm_num_groups=2, cross_attention_dim=6, attention_head_dim=(1, 2),
// DownBlock2D, CrossAttnDownBlock2D and their like) of diffusers 0.42.1 in float64; parameters as
// fill_by_name() has them.
TEST(UnetTransformer, OutputsAndGradientsAreThoseOfDiffusers) {
  const auto net = testing::make_unet({{"channels", "4,8"},
                                       {"layers", "1"},
                                       {"norm_groups", "2"},
                                       {"heads", "1,2"},
                                       {"scale_shift", "false"},
                                       {"attention", "[]"},
                                       {"cross_attention", "1"}},
                                      {.sample = {2, 5, 6}, .context = 6, .beside = 1});
  const auto gradients = testing::fill_by_name(*net);
  NetInput in{at::cos(at::arange(180, at::kDouble) * 0.7).view({2, 3, 5, 6}).to(at::kFloat),
              at::tensor({3.0F, 800.0F}),
              {}};
  in.context = at::sin(at::arange(36, at::kDouble) * 0.9).view({2, 3, 6}).to(at::kFloat);
  // Every fourth.
  const Tensor expected =
      at::tensor({-0.1257560F, 0.1500580F,  -0.1058459F, -0.1478703F, 0.0638656F,  -0.3198664F,
                  -0.1145444F, -0.4430176F, 0.2400627F,  0.0372224F,  0.5502885F,  -0.0619110F,
                  0.3133893F,  -0.0116779F, 0.3937179F,  -0.1254647F, 0.1832121F,  -0.1347640F,
                  -0.1381717F, 0.0053250F,  -0.3217769F, -0.1206905F, -0.4438924F, 0.2221550F,
                  0.0485427F,  0.5288152F,  -0.0708898F, 0.3153462F,  -0.0414013F, 0.4075097F});
  const Tensor out = net->run(in);
  EXPECT_LT((out.flatten().slice(0, 0, 120, 4) - expected).abs().max().item<double>(), 2e-6);
  net->backward(out * (2.0 / 120.0));
  const auto sum_of = [&](const char* name) {
    return gradients.at(name).abs().sum().item<double>();
  };
  EXPECT_NEAR(sum_of("conv_in.weight"), 1.1539837228047354, 1e-5);
  EXPECT_NEAR(sum_of("up_blocks.0.attentions.1.proj_out.weight"), 0.24686855747153197, 2e-6);
  EXPECT_NEAR(sum_of("mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight"),
              0.009139032145729703, 2e-7);
  EXPECT_NEAR(sum_of("down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight"),
              3.954156835203788e-05, 4e-8);
}

TEST(UnetTransformer, RowsSeeTheirOwnTexts) {
  const auto net = testing::make_unet(kToldSmall, kToldShape);
  const NetInput in = testing::unet_input(kToldShape, 4);
  const Tensor order = at::tensor({2, 0, 3, 1}, at::kLong), out = net->forward(in);
  NetInput mixed{in.x.index_select(0, order), in.t.index_select(0, order), {}};
  mixed.context = in.context.index_select(0, order);
  EXPECT_LT(testing::how_far(net->forward(mixed), out.index_select(0, order)), 1e-5);
  mixed.context = in.context;
  EXPECT_GT(testing::how_far(net->forward(mixed), out.index_select(0, order)), 1e-4);
}

TEST(UnetTransformer, ATextMayBeThatOfRowsThatFollowOneAnother) {
  const auto net = testing::make_unet(kToldSmall, kToldShape);
  NetInput in = testing::unet_input(kToldShape, 4);
  for (const std::int64_t texts : {1, 2}) {
    const Tensor few = in.context.narrow(0, 0, texts);
    NetInput repeated = in, shared = in;
    repeated.context = few.repeat_interleave(4 / texts, 0);
    shared.context = few;
    EXPECT_LT(testing::how_far(net->forward(shared), net->forward(repeated)), 1e-5);
  }
}

TEST(UnetTransformer, KeysOfAContextAreKeptFromOneStepToTheNext) {
  const auto net = testing::make_unet(kToldSmall, kToldShape);
  const at::NoGradGuard plain;
  NetInput in = testing::unet_input(kToldShape, 2);
  ContextKeys kept;
  const Tensor first = net->forward(in);
  in.kept = &kept;
  EXPECT_TRUE(at::equal(net->forward(in), first));
  // Seven transformers: one a block of two levels, and the middle's.
  EXPECT_EQ(kept.layers.size(), 2 * (2 + 4 + 1));
  in.context = at::zeros_like(in.context);
  EXPECT_TRUE(at::equal(net->forward(in), first));
}

TEST(UnetTransformer, GradientsReachTheContext) {
  const auto net = testing::make_unet(kToldSmall, kToldShape);
  NetInput in = testing::unet_input(kToldShape, 2);
  const Tensor direction = at::randn(in.context.sizes());
  const auto loss = [&](const Tensor& context) {
    NetInput asked = in;
    asked.context = context;
    return net->forward(asked).square().sum();
  };
  const Tensor context = in.context.detach().requires_grad_();
  const Tensor slope = torch::autograd::grad({loss(context)}, {context}).front();
  const double step = 1e-2;
  const double difference = (loss(in.context + step * direction).item<double>() -
                             loss(in.context - step * direction).item<double>()) /
                            (2.0 * step);
  EXPECT_NEAR((slope * direction).sum().item<double>(), difference, 0.02 * std::abs(difference));
}

TEST(UnetTransformer, WithoutATextSettingsOfTransformersChangeNothing) {
  const NetworkShape shape{.sample = {1, 8, 8}, .seed = 4};
  const testing::UnetOptions small{
      {"channels", "8,16"}, {"norm_groups", "4"}, {"head_width", "8"}, {"zero_init", "false"}};
  const auto net = testing::make_unet(small, shape);
  const auto other = testing::make_unet(testing::with_more(small, {{"cross_attention", "0"},
                                                                   {"heads", "3"},
                                                                   {"transformer_layers", "4"},
                                                                   {"linear_projection", "true"}}),
                                        shape);
  const NetInput in = testing::unet_input(shape, 2);
  EXPECT_TRUE(at::equal(net->forward(in), other->forward(in)));
}

TEST(UnetTransformer, RefusesTextsThatDoNotFit) {
  const auto net = testing::make_unet(kToldSmall, kToldShape);
  const NetInput in = testing::unet_input(kToldShape, 4);
  NetInput without = in, wide = in, few = in, flat = in, tokens = in;
  without.context = Tensor();
  expect_forward_refused(1196, *net, without);
  wide.context = at::zeros({4, 7, 6});
  expect_forward_refused(1197, *net, wide);
  few.context = at::zeros({3, 7, 5});
  expect_forward_refused(1197, *net, few);
  flat.context = at::zeros({4, 5});
  expect_forward_refused(1197, *net, flat);
  tokens.context = Tensor();
  tokens.tokens = at::zeros({4, 7}, at::kLong);
  expect_forward_refused(1199, *net, tokens);
  try {
    testing::make_unet({}, {.sample = {1, 32, 32}})->context_of(tokens.tokens);
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), 1195) << error.what();
  }
}

TEST(UnetTransformer, RefusesSettingsThatDoNotFit) {
  const auto refused = [](int code, const testing::UnetOptions& more) {
    SCOPED_TRACE(more.front().first);
    testing::expect_unet_refused(code, testing::with_more(kToldSmall, more), kToldShape);
  };
  refused(1166, {{"heads", "5"}});
  refused(1166, {{"heads", "[]"}, {"head_width", "5"}});
  refused(1167, {{"cross_attention", "3"}});
  refused(1196, {{"cross_attention", "[]"}, {"middle_attention", "false"}});
  refused(1198, {{"heads", "2,3"}});
  refused(1198, {{"transformer_layers", "1,1"}});
}

// What diffusers 0.42.1 made of a folder with random weights, and the folder.
class TinyStableDiffusion : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* named = std::getenv("GRADATIM_FIXTURES");
    folder_ = std::string(named != nullptr ? named : "../shared/fixtures") + "/tiny_sd";
    if (!std::filesystem::exists(folder_ + "/ref.safetensors")) {
      GTEST_SKIP() << folder_ << " is not at hand: name its folder in GRADATIM_FIXTURES";
    }
    expected_.emplace(folder_ + "/ref.safetensors");
  }

  Tensor of(const std::string& name) const {
    auto numbers = expected_->read<float>(name);
    return at::from_blob(numbers.data(), expected_->view(name).shape, at::kFloat).clone();
  }

  std::string folder_;
  std::optional<SafetensorsFile> expected_;
};

TEST_F(TinyStableDiffusion, TheUnetsOutputsAreThoseOfDiffusers) {
  const auto net = load_unet(read_unet_folder(folder_ + "/model"));
  const at::NoGradGuard plain;
  for (const auto& [t, x, out] : {std::tuple{999.0F, "unet.in", "unet.out.t999"},
                                  {500.0F, "unet.in", "unet.out.t500"},
                                  {1.0F, "unet.in", "unet.out.t1"},
                                  {500.0F, "unet.in.odd", "unet.out.odd.t500"}}) {
    NetInput in{of(x), at::full({2}, t), {}};
    in.context = of("unet.ctx");
    EXPECT_LT(testing::how_far(net->forward(in), of(out)), 1e-4) << out;
  }
}

}  // namespace
}  // namespace gradatim::neural
