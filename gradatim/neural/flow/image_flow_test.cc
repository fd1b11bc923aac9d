// What the laws do not say of the steps of image flows: how they begin, where pixels go, what a
// density is.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/flow/activation_norm.h"
#include "gradatim/neural/flow/flow_net.h"
#include "gradatim/neural/flow/image_coupling.h"
#include "gradatim/neural/flow/invertible_convolution.h"
#include "gradatim/neural/flow/multi_scale.h"
#include "gradatim/neural/flow/squeeze.h"
#include "gradatim/neural/flow/testing.h"

namespace gradatim::neural {
namespace {

using testing::normal_tensor;
using testing::perturb;

std::unique_ptr<FlowNet> flow_of(const std::string& architecture, const FlowShape& shape,
                                 const std::map<std::string, std::int64_t>& settings = {}) {
  api::Settings chosen{.component = architecture};
  for (const auto& [name, value] : settings) chosen.values[name] = value;
  const auto maker = api::build_as<Architecture>(api::complete(chosen));
  const auto base = api::build_as<BaseDensity>({.component = "neural.base.gaussian"});
  return make_flow(*maker, *base, shape);
}

// Data of mean 3 and deviation 2, a channel of which is the same everywhere.
Tensor uneven_images() {
  const Tensor x = 3.0 + 2.0 * normal_tensor({64, 3, 4, 4}, 1);
  x.select(1, 1).fill_(5.0);
  return x;
}

TEST(ActivationNorm, TheFirstDataLeaveWithMean0AndDeviation1) {
  Parameters parameters;
  ActivationNorm norm({Scope(parameters), {3, 4, 4}});
  parameters.pack();
  const at::NoGradGuard plain;
  norm.start(uneven_images(), {});
  const Tensor y = norm.forward(uneven_images(), {}).x.transpose(0, 1).flatten(1);
  EXPECT_LT(y.mean(1).abs().max().item<float>(), 1e-5F);
  const Tensor deviation = y.std(1, false);
  EXPECT_NEAR(deviation[0].item<float>(), 1.0F, 1e-5F);
  EXPECT_NEAR(deviation[1].item<float>(), 0.0F, 1e-5F);
  EXPECT_NEAR(deviation[2].item<float>(), 1.0F, 1e-5F);
}

TEST(ActivationNorm, EveryNumberOfARowHasAScaleOfItsOwn) {
  Parameters parameters;
  ActivationNorm norm({Scope(parameters), {2}});
  parameters.pack();
  const at::NoGradGuard plain;
  const Tensor scales = at::tensor({1.0F, 100.0F});
  const Tensor x = normal_tensor({64, 2}, 1) * scales;
  norm.start(x, {});
  EXPECT_LT((norm.forward(x, {}).x.std(0, false) - 1.0).abs().max().item<float>(), 1e-5F);
}

TEST(ActivationNorm, AFileKeepsTheStartAndOtherDataDoNotChangeIt) {
  const FlowShape shape{.sample = {3, 4, 4}, .seed = 3};
  const auto net = flow_of("neural.architecture.glow", shape, {{"depth", 1}, {"width", 8}});
  const at::NoGradGuard plain;
  net->steps().start(uneven_images(), {});
  SafetensorsWriter writer;
  net->parameters().store(writer, net->parameters().values(), "flow.");
  const std::string bytes = writer.bytes();
  const SafetensorsFile file(bytes, "memory");
  api::Settings chosen{.component = "neural.architecture.glow"};
  chosen.values["depth"] = std::int64_t{1};
  chosen.values["width"] = std::int64_t{8};
  const auto maker = api::build_as<Architecture>(api::complete(chosen));
  const auto base = api::build_as<BaseDensity>({.component = "neural.base.gaussian"});
  const auto loaded = load_flow(*maker, *base, shape, file, "flow.");
  const Tensor others = normal_tensor({8, 3, 4, 4}, 9);
  const Tensor codes = net->encode(others, {});
  EXPECT_LT((loaded->encode(others, {}) - codes).abs().max().item<float>(), 1e-5F);
  EXPECT_TRUE(at::equal(net->encode(others.slice(0, 0, 4), {}), codes.slice(0, 0, 4)));
}

TEST(Squeeze, ASquareOfFourPixelsBecomesFourChannels) {
  Parameters parameters;
  const Squeeze squeeze({Scope(parameters), {2, 4, 2}});
  const Tensor x = at::arange(16, at::kFloat).view({1, 2, 4, 2});
  const Tensor y = squeeze.forward(x, {}).x;
  ASSERT_EQ(y.sizes().vec(), (std::vector<std::int64_t>{1, 8, 2, 1}));
  // The upper square of the first channel is 0 1 / 2 3, the one below it 4 5 / 6 7.
  const Tensor wanted = at::tensor({0.0F, 4.0F, 1.0F, 5.0F, 2.0F, 6.0F, 3.0F, 7.0F, 8.0F, 12.0F,
                                    9.0F, 13.0F, 10.0F, 14.0F, 11.0F, 15.0F});
  EXPECT_TRUE(at::equal(y.flatten(), wanted));
}

TEST(InvertibleConvolution, BeginsAsAPermutationThatItsNumberDecides) {
  const at::NoGradGuard plain;
  const Tensor x = at::arange(12, at::kFloat).view({1, 12});
  const auto moved_by = [&](std::int64_t number, std::uint64_t seed) {
    Parameters parameters;
    const InvertibleConvolution step({Scope(parameters), {12}, 0, number});
    parameters.pack();
    parameters.init(seed);
    return step.forward(x, {}).x;
  };
  EXPECT_TRUE(at::equal(moved_by(0, 1), moved_by(0, 2)));
  EXPECT_FALSE(at::equal(moved_by(0, 1), moved_by(1, 1)));
  EXPECT_TRUE(at::equal(std::get<0>(moved_by(5, 1).sort(1)), x));
}

TEST(Couplings, WhatStaysIsTheSameToTheLastBit) {
  const at::NoGradGuard plain;
  const Tensor x = normal_tensor({4, 4, 4, 4}, 2);
  Parameters parameters;
  const Scope root(parameters);
  const ImageConditionerConfig small{ImageConditionerKind::residual, 8, 1};
  const CheckerboardCoupling even({root / 0, {4, 4, 4}, 0, 0}, small, affine_map(2.0));
  const CheckerboardCoupling odd({root / 1, {4, 4, 4}, 0, 1}, small, affine_map(2.0));
  const ChannelCoupling last({root / 2, {4, 4, 4}, 0, 0}, small, affine_map(2.0));
  const ChannelCoupling first({root / 3, {4, 4, 4}, 0, 1}, small, affine_map(2.0));
  perturb(parameters, 0.1);
  const auto stays = [&](const Transform& step) { return step.forward(x, {}).x.eq(x); };
  const Tensor white = (at::arange(4).unsqueeze(1) + at::arange(4)).remainder(2).eq(0);
  EXPECT_TRUE(at::equal(stays(even), white.expand({4, 4, 4, 4})));
  EXPECT_TRUE(at::equal(stays(odd), white.logical_not().expand({4, 4, 4, 4})));
  EXPECT_TRUE(stays(last).slice(1, 0, 2).all().item<bool>());
  EXPECT_FALSE(stays(last).slice(1, 2, 4).any().item<bool>());
  EXPECT_TRUE(stays(first).slice(1, 2, 4).all().item<bool>());
  EXPECT_FALSE(stays(first).slice(1, 0, 2).any().item<bool>());
}

TEST(MultiScale, HalfOfTheChannelsLeavesBehindALevel) {
  Parameters parameters;
  const FlowPlace place{Scope(parameters), {1, 8, 8}};
  MultiScale levels(place, 3, 3);
  std::vector<std::vector<std::int64_t>> begins;
  for (int k = 0; k < 3; ++k) {
    begins.push_back(levels.sample());
    levels.add(std::make_unique<Squeeze>(FlowPlace{place.scope, levels.sample()}));
  }
  using Shape = std::vector<std::int64_t>;
  EXPECT_EQ(begins, (std::vector<Shape>{{1, 8, 8}, {2, 4, 4}, {4, 2, 2}}));
  EXPECT_EQ(levels.out_shape({1, 8, 8}), Shape{64});
  const Tensor x = at::arange(64, at::kFloat).view({1, 1, 8, 8});
  const Tensor z = levels.forward(x, {}).x;
  ASSERT_EQ(z.sizes().vec(), (Shape{1, 64}));
  // The upper rows of all squares left first: numbers 0, 2, 4, 6, then 16, ...
  EXPECT_EQ(z[0][1].item<float>(), 2.0F);
  EXPECT_EQ(z[0][4].item<float>(), 16.0F);
  EXPECT_TRUE(z.slice(1, 0, 32).remainder(16).lt(8).all().item<bool>());
  EXPECT_TRUE(at::equal(levels.inverse(z, {}).x, x));
}

TEST(MultiScale, TheStartReachesEveryLevel) {
  const FlowShape shape{.sample = {2, 4, 4}, .seed = 3};
  const auto net = flow_of("neural.architecture.glow", shape, {{"levels", 2}, {"depth", 1}});
  const at::NoGradGuard plain;
  net->steps().start(3.0 + 2.0 * normal_tensor({64, 2, 4, 4}, 1), {});
  int norms = 0;
  for (const auto& item : net->parameters().items()) {
    if (item.name.find("log_scale") == std::string::npos) continue;
    EXPECT_GT(item.value.abs().min().item<float>(), 0.0F) << item.name;
    ++norms;
  }
  EXPECT_EQ(norms, 2);
}

TEST(ImageConditioner, HearsTheContextAndPassesByItsBlocks) {
  Parameters parameters;
  const ImageConditionerConfig config{
      .kind = ImageConditionerKind::residual, .width = 8, .layers = 1};
  const ImageConditioner conditioner(Scope(parameters), 2, 3, 4, config);
  perturb(parameters, 0.1);
  const at::NoGradGuard plain;
  const Tensor x = normal_tensor({2, 2, 4, 4}, 1), context = normal_tensor({2, 3}, 2);
  const auto apart = [&](const Tensor& a, const Tensor& b) {
    return (a - b).abs().max().item<float>();
  };
  EXPECT_GT(apart(conditioner(x, context), conditioner(x, context + 1.0)), 1e-3F);
  for (const auto& item : parameters.items()) {
    if (item.name.starts_with("layers.2")) item.value.zero_();  // the block then adds nothing
  }
  EXPECT_GT(apart(conditioner(x, context), conditioner(x + 1.0, context)), 1e-3F);
}

TEST(ImageFlows, HaveTheStepsOfTheirPapers) {
  const auto count = [](const FlowNet& net, const std::string& part) {
    return std::ranges::count_if(net.parameters().items(), [&](const auto& item) {
      return item.name.find(part) != std::string::npos;
    });
  };
  const FlowShape shape{.sample = {2, 4, 4}, .seed = 3};
  const auto glow = flow_of("neural.architecture.glow", shape, {{"levels", 2}, {"depth", 3}});
  EXPECT_EQ(count(*glow, "convolution.log_diagonal"), 2 * 3);
  EXPECT_EQ(count(*glow, "norm.log_scale"), 2 * 3);
  const auto realnvp =
      flow_of("neural.architecture.multiscale_realnvp", shape, {{"levels", 2}, {"couplings", 3}});
  EXPECT_EQ(count(*realnvp, "levels.0.checkerboard") / count(*realnvp, "levels.0.checkerboard.0"),
            3);
  EXPECT_EQ(count(*realnvp, "levels.0.channels") / count(*realnvp, "levels.0.channels.0"), 3);
  EXPECT_EQ(count(*realnvp, "levels.1.checkerboard") / count(*realnvp, "levels.1.checkerboard.0"),
            3 + 1);
}

TEST(ImageFlows, MoreLevelsThanHalvingsAreRefusedInALine) {
  const auto message = [](const std::string& architecture, std::vector<std::int64_t> sample,
                          std::int64_t levels) -> std::string {
    try {
      flow_of("neural.architecture." + architecture, {.sample = sample}, {{"levels", levels}});
    } catch (const UsageError& error) {
      EXPECT_EQ(error.code(), 1191);
      return error.message();
    }
    return "";
  };
  EXPECT_EQ(message("glow", {1, 28, 28}, 2), "");
  EXPECT_EQ(message("glow", {1, 8, 8}, 3), "");
  EXPECT_EQ(message("glow", {1, 28, 28}, 3),
            "3 levels halve an image 3 times; one of 28 x 28 can be halved 2 times: take --levels "
            "2");
  EXPECT_EQ(message("multiscale_realnvp", {1, 28, 28}, 3), "");
  EXPECT_EQ(message("multiscale_realnvp", {1, 7, 7}, 1), "");
  EXPECT_EQ(message("glow", {1, 7, 7}, 1),
            "1 levels halve an image 1 times; one of 7 x 7 can be halved 0 times: give images of "
            "even height and width");
  EXPECT_NE(message("multiscale_realnvp", {5}, 1), "");
}

// Layers begin at 0: a flow without start() permutes numbers, and its density is the base's.
TEST(ImageFlows, AnUntrainedOneIsTheDensityOfGaussianImages) {
  const at::NoGradGuard plain;
  const Tensor x = normal_tensor({16, 1, 8, 8}, 4);
  const Tensor exact = x.square().sum({1, 2, 3}) * -0.5 - 32.0 * std::log(2.0 * std::numbers::pi);
  for (const char* name : {"glow", "multiscale_realnvp", "residual"}) {
    const auto net = flow_of(std::string("neural.architecture.") + name, {.sample = {1, 8, 8}});
    EXPECT_LT((net->log_prob(x, {}) - exact).abs().max().item<float>(), 1e-3F) << name;
  }
}

// Images of independent numbers with deviation d: behind start() no step has anything to add.
TEST(ImageFlows, AStartedOneKnowsTheScaleOfItsData) {
  const at::NoGradGuard plain;
  const Tensor x = 3.0 + 0.25 * normal_tensor({1024, 1, 4, 4}, 4);
  const double exact = -8.0 * (std::log(2.0 * std::numbers::pi * 0.0625) + 1.0);
  for (const char* name : {"glow", "multiscale_realnvp", "residual"}) {
    const auto net =
        flow_of(std::string("neural.architecture.") + name, {.sample = {1, 4, 4}}, {{"width", 8}});
    net->steps().start(x, {});
    EXPECT_NEAR(net->log_prob(x, {}).mean().item<double>(), exact, 0.05) << name;
  }
}

}  // namespace
}  // namespace gradatim::neural
