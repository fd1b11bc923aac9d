#include <gtest/gtest.h>

#include "gradatim/api/settings.h"
#include "gradatim/core/parallel.h"
#include "gradatim/neural/nn/device.h"
#include "gradatim/neural/nn/net.h"

namespace gradatim::neural {
namespace {

std::unique_ptr<Net> mlp(const std::vector<api::Option>& options, const NetworkShape& shape) {
  const auto settings = api::parse_settings("neural.network.mlp", options);
  return make_net(*api::build_as<Network>(settings), shape);
}

NetInput input(std::int64_t rows, std::int64_t dims, std::int64_t classes) {
  at::manual_seed(7);
  NetInput in{at::randn({rows, dims}), at::rand({rows}), {}};
  if (classes > 0) in.labels = at::randint(classes + 1, {rows}, at::kLong);
  return in;
}

// The hand-written backward pass against automatic differentiation of forward().
void expect_gradients_agree(const std::vector<api::Option>& options, std::int64_t classes) {
  const auto net = mlp(options, {.sample = {3}, .classes = classes, .outputs = 2, .time_scale = 9});
  const NetInput in = input(37, 3, classes);
  const Tensor weight = at::randn({37, 6});
  const Tensor output = net->run(in);
  net->backward(weight);
  const Tensor by_hand = net->parameters().gradients().clone();
  net->parameters().gradients().zero_();
  net->parameters().require_gradients(true);
  const at::AutoGradMode on(true);
  const Tensor again = net->forward(in);
  torch::autograd::backward({again}, {weight});
  EXPECT_LT((output - again.detach()).abs().max().item<float>(), 1e-5F);
  EXPECT_GT(by_hand.abs().max().item<float>(), 0.1F);
  EXPECT_LT((by_hand - net->parameters().gradients()).abs().max().item<float>(), 2e-4F);
}

TEST(Mlp, BackwardByHandEqualsAutomaticDifferentiation) {
  for (const char* activation : {"silu", "gelu", "relu", "selu", "tanh"}) {
    SCOPED_TRACE(activation);
    expect_gradients_agree({{"width", "24"}, {"activation", activation}}, 0);
    expect_gradients_agree({{"width", "8"}, {"residual", "true"}, {"activation", activation}}, 4);
  }
}

// Directions that go forward against those that go back, and the derivatives of both.
TEST(Mlp, DirectionsAlongTheNetworkAreThoseOfAutomaticDifferentiation) {
  for (const std::string activation : {"silu", "gelu", "relu", "selu", "tanh"}) {
    for (const std::string residual : {"false", "true"}) {
      for (const std::string time : {"embedded", "plain"}) {
        SCOPED_TRACE(activation + ", " + residual + ", " + time);
        const auto net = mlp({{"width", "9"},
                              {"activation", activation},
                              {"residual", residual},
                              {"time_input", time}},
                             {.sample = {3}, .classes = 4, .time_scale = 9});
        net->parameters().require_gradients(true);
        const NetInput in = input(7, 3, 4);
        const Tensor basis = at::eye(3).unsqueeze(1), signs = at::randn({2, 7, 3}).sign();
        for (const Tensor& z : {basis, signs}) {
          std::vector<Tensor> forms, gradients;
          for (const bool forward : {true, false}) {
            const at::AutoGradMode graph(true);
            NetInput asked = in;
            asked.x = in.x.clone().requires_grad_();
            const Along found = forward ? net->along(asked, z) : net->Net::along(asked, z);
            EXPECT_LT((found.output - net->forward(in)).abs().max().item<float>(), 1e-5F);
            const Tensor products = (found.products * z).sum(-1);
            forms.push_back(products.detach());
            net->parameters().gradients().zero_();
            torch::autograd::backward({products.square().sum() + found.output.sum()}, {});
            gradients.push_back(
                at::cat({net->parameters().gradients(), asked.x.grad().reshape({-1})}));
          }
          EXPECT_LT((forms[0] - forms[1]).abs().max().item<float>(), 1e-4F);
          EXPECT_GT(gradients[0].abs().max().item<float>(), 1e-2F);
          EXPECT_LT((gradients[0] - gradients[1]).abs().max().item<float>(),
                    1e-4F * gradients[0].abs().max().item<float>());
        }
      }
    }
  }
}

// Rows behind whole blocks, widths behind whole tiles and vectors; the same numbers, whatever is
// computed beside a row and on how many threads.
TEST(Mlp, ARowIsTheSameInEveryBatchAndInTraining) {
  for (const char* residual : {"false", "true"}) {
    const auto net = mlp({{"width", "27"}, {"residual", residual}},
                         {.sample = {3}, .classes = 4, .outputs = 2, .time_scale = 9});
    const at::NoGradGuard plain;
    const NetInput in = input(150, 3, 4);
    const Tensor all = net->forward(in);
    for (const std::int64_t rows : {1, 5, 64, 70}) {
      const NetInput few{in.x.narrow(0, 70, rows), in.t.narrow(0, 70, rows),
                         in.labels.narrow(0, 70, rows)};
      EXPECT_TRUE(at::equal(net->forward(few), all.narrow(0, 70, rows))) << rows << " rows";
    }
    EXPECT_TRUE(at::equal(net->run(in), all));
  }
}

TEST(Mlp, OneTimeIsThatOfAllRows) {
  for (const char* kind : {"plain", "embedded"}) {
    const auto net = mlp({{"width", "27"}, {"time_input", kind}},
                         {.sample = {3}, .classes = 4, .outputs = 2, .time_scale = 9});
    const at::NoGradGuard plain;
    NetInput in = input(70, 3, 4);
    const Tensor time = in.t.narrow(0, 3, 1).clone();
    in.t = time.repeat({70});
    EXPECT_TRUE(at::equal(net->forward(in), net->forward({in.x, time, in.labels}))) << kind;
  }
}

TEST(Mlp, GradientsAreTheSameOnAnyThreads) {
  const NetworkShape shape{.sample = {3}, .classes = 4, .outputs = 2, .time_scale = 9};
  const auto net = mlp({{"width", "27"}}, shape);
  const NetInput in = input(700, 3, 4);
  const Tensor weight = at::randn({700, 6});
  std::vector<Tensor> found;
  for (const int threads : {1, 2, 3}) {
    const ThreadScope scope(threads);
    const TorchThreads torch_threads(1e12);
    net->parameters().gradients().zero_();
    net->run(in);
    net->backward(weight);
    found.push_back(net->parameters().gradients().clone());
  }
  EXPECT_TRUE(at::equal(found[0], found[1]));
  EXPECT_TRUE(at::equal(found[0], found[2]));
}

TEST(Mlp, APlainTimeBeginsAsALayerOfItsOwn) {
  const auto net = mlp({{"width", "512"}, {"time_input", "plain"}}, {.sample = {4}});
  const Tensor weight = net->parameters().items().front().value;  // [512, 5]
  const Tensor state = weight.narrow(1, 0, 4).abs(), time = weight.narrow(1, 4, 1).abs();
  EXPECT_NEAR(state.max().item<double>(), 0.5, 0.01);
  EXPECT_NEAR(time.max().item<double>(), 1.0, 0.01);
}

TEST(Mlp, InitialValuesArePureFunctionsOfTheSeed) {
  const NetworkShape shape{.sample = {2}, .seed = 3};
  const Tensor values = mlp({}, shape)->parameters().values();
  EXPECT_TRUE(at::equal(values, mlp({}, shape)->parameters().values()));
  EXPECT_FALSE(at::equal(values, mlp({}, {.sample = {2}, .seed = 4})->parameters().values()));
}

}  // namespace
}  // namespace gradatim::neural
