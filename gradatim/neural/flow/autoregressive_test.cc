#include "gradatim/neural/flow/autoregressive.h"

#include <gtest/gtest.h>

#include "gradatim/neural/flow/permutation.h"
#include "gradatim/neural/flow/random_flow_testing.h"

namespace gradatim::neural {
namespace {

constexpr std::int64_t kDims = 5;

struct MadeCase {
  std::int64_t context;
  int width, layers;
  bool reversed;
};

class MadeLaws : public ::testing::TestWithParam<MadeCase> {};

// d out_j / d x_i is 0 unless x_i is in front of x_j, and there it is not.
TEST_P(MadeLaws, NumbersHearThoseInFrontOfThemAlone) {
  const auto [told, width, layers, reversed] = GetParam();
  Parameters parameters;
  const Made made(Scope(parameters), kDims, told, 2, reversed,
                  {.width = width, .layers = layers, .activation = Activation::tanh});
  parameters.pack();
  parameters.values().copy_(testing::normal_tensor({parameters.count()}, 1));
  const at::AutoGradMode graph(true);
  const Tensor x = testing::normal_tensor({1, kDims}, 2).requires_grad_();
  Tensor context;
  if (told > 0) context = testing::normal_tensor({1, told}, 3).requires_grad_();
  const Tensor out = made(made.weights(), x, context);
  for (std::int64_t j = 0; j < kDims; ++j) {
    const auto gradient = [&](const Tensor& of) {
      return torch::autograd::grad({out.select(2, j).sum()}, {of}, {}, true, false, true).front();
    };
    const Tensor slope = gradient(x);
    for (std::int64_t i = 0; i < kDims; ++i) {
      const double here = slope.defined() ? slope[0][i].item<double>() : 0.0;
      if (reversed ? i > j : i < j) {
        EXPECT_NE(here, 0.0) << i << " to " << j;
      } else {
        EXPECT_EQ(here, 0.0) << i << " to " << j;
      }
    }
    if (told > 0) {
      EXPECT_TRUE((gradient(context) != 0.0).all().item<bool>()) << j;
    }
    EXPECT_LT((made.of_number(made.weights(), x, context, j) - out.narrow(2, j, 1))
                  .abs()
                  .max()
                  .item<float>(),
              1e-5F);
  }
}

INSTANTIATE_TEST_SUITE_P(All, MadeLaws,
                         ::testing::Values(MadeCase{0, 32, 2, false}, MadeCase{0, 32, 1, true},
                                           MadeCase{3, 17, 3, false}, MadeCase{2, 64, 2, true}));

TEST(Autoregressive, TheInverseSettingExchangesBothWays) {
  const FlowShape shape{.sample = {4}, .seed = 3};
  const auto base = api::build_as<BaseDensity>({.component = "neural.base.gaussian"});
  const auto flow = [&](bool inverse) {
    const auto maker = api::build_as<Bijection>(api::complete(
        {.component = "neural.bijection.affine_autoregressive", .values = {{"inverse", inverse}}}));
    auto net = make_flow(*maker, *base, shape);
    net->parameters().values().add_(testing::normal_tensor({net->parameters().count()}, 4), 0.1);
    return net;
  };
  const auto one = flow(false), other = flow(true);
  const Tensor x = testing::normal_tensor({8, 4}, 5);
  const at::NoGradGuard plain;
  const Moved a = one->steps().inverse(x, {}), b = other->steps().forward(x, {});
  EXPECT_TRUE(at::equal(a.x, b.x));
  EXPECT_TRUE(at::equal(a.log_det, b.log_det));
  EXPECT_FALSE(at::equal(b.x, other->steps().inverse(x, {}).x));
}

TEST(Permutation, IsDrawnFromThePlaceAlone) {
  Parameters parameters;
  const Tensor x = at::arange(24, at::kFloat).view({1, 24});
  const auto order = [&](std::int64_t number) {
    const FlowPlace place{Scope(parameters), {24}, 0, number};
    return Permutation(place, Order::drawn).forward(x, {}).x;
  };
  EXPECT_TRUE(at::equal(order(1), order(1)));
  EXPECT_FALSE(at::equal(order(1), order(2)));
  EXPECT_FALSE(at::equal(order(1), x));
  EXPECT_TRUE(at::equal(std::get<0>(at::sort(order(1), 1)), x));
  // A file of today is read tomorrow.
  EXPECT_EQ(order(0)[0][0].item<float>(), 16.0F);
}

TEST(RealNvp, RefusesImagesInALine) {
  const testing::RandomFlow flow("neural.architecture.realnvp", {.sample = {1, 4, 4}, .seed = 3},
                                 2);
  EXPECT_NE(flow.refused.find("1 x 4 x 4"), std::string::npos) << flow.refused;
}

}  // namespace
}  // namespace gradatim::neural
