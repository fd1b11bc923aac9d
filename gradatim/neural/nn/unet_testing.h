// What tests of U-Nets share: networks by options, inputs, passes each way.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gradatim/api/settings.h"
#include "gradatim/core/error.h"
#include "gradatim/neural/nn/net.h"
#include "gradatim/neural/nn/unet_layers.h"

namespace gradatim::neural::testing {

using UnetOptions = std::vector<api::Option>;

inline std::unique_ptr<Net> make_unet(const UnetOptions& options, const NetworkShape& shape) {
  return make_net(*api::build_as<Network>(api::parse_settings("neural.network.unet", options)),
                  shape);
}

inline UnetOptions with_more(UnetOptions options, const UnetOptions& more) {
  for (const auto& option : more) {
    std::erase_if(options, [&](const auto& each) { return each.first == option.first; });
    options.push_back(option);
  }
  return options;
}

/// With texts of seven tokens where the network is told any.
inline NetInput unet_input(const NetworkShape& shape, std::int64_t rows) {
  at::manual_seed(5);
  NetInput in{at::randn({rows, shape.sample[0] + shape.beside, shape.sample[1], shape.sample[2]}),
              at::rand({rows}) * 900.0 + 1.0,
              {}};
  if (shape.classes > 0) in.labels = at::randint(shape.classes + 1, {rows}, at::kLong);
  if (shape.context > 0) in.context = at::randn({rows, 7, shape.context});
  return in;
}

struct UnetPass {
  Tensor out, gradients, of_input;
};

inline UnetPass unet_pass(Net& net, NetInput in) {
  net.parameters().gradients().zero_();
  const Tensor out = net.run(in);
  net.backward(at::cos(at::arange(out.numel(), at::kFloat)).view(out.sizes()));
  UnetPass made{out, net.parameters().gradients().clone(), {}};
  const at::AutoGradMode graph(true);
  in.x = in.x.detach().requires_grad_();
  made.of_input = torch::autograd::grad({net.forward(in).square().sum()}, {in.x}).front().detach();
  return made;
}

/// Of the largest of b.
inline double how_far(const Tensor& a, const Tensor& b) {
  return ((a - b).abs().max() / b.abs().max()).item<double>();
}

inline void expect_fused_equals_plain(const UnetOptions& options, const NetworkShape& shape,
                                      std::optional<Philox> dropout = {}) {
  const auto net = make_unet(options, shape);
  NetInput in = unet_input(shape, 3);
  in.dropout = dropout;
  const UnetPass fused = unet_pass(*net, in);
  const PlainLayers reference;
  const UnetPass plain = unet_pass(*net, in);
  EXPECT_LT(how_far(fused.out, plain.out), 1e-5);
  EXPECT_LT(how_far(fused.gradients, plain.gradients), 1e-4);
  EXPECT_LT(how_far(fused.of_input, plain.of_input), 1e-4);
}

/// Gives element i of a parameter sin(1.3 i + the sum of its name's bytes) times 0.3, in
/// transformers times 1; returns the gradients.
inline std::map<std::string, Tensor> fill_by_name(Net& net) {
  std::map<std::string, Tensor> gradients;
  for (const auto& item : net.parameters().items()) {
    int sum = 0;
    for (const char c : item.name) sum += c;
    const bool transforms = item.name.find("transformer") != std::string::npos;
    const Tensor place = at::arange(item.value.numel(), at::kDouble);
    const at::NoGradGuard plain;
    item.value.copy_(
        (at::sin(place * 1.3 + sum) * (transforms ? 1.0 : 0.3)).view(item.value.sizes()));
    gradients[item.name] = item.value.grad();
  }
  return gradients;
}

inline void expect_unet_refused(int code, const UnetOptions& options, const NetworkShape& shape) {
  try {
    make_unet(options, shape);
    ADD_FAILURE() << "it was accepted";
  } catch (const UsageError& error) {
    EXPECT_EQ(error.code(), code) << error.what();
  }
}

}  // namespace gradatim::neural::testing
