#include "gradatim/neural/nn/net.h"

#include <fmt/format.h>

#include <algorithm>

#include "gradatim/core/error.h"
#include "gradatim/neural/library.h"
#include "gradatim/neural/nn/precision.h"

namespace gradatim::neural {

void Net::set_precision(Precision precision) {
  precision_ = precision;
  if (precision == Precision::float32) return;
  GRADATIM_CHECK(takes_bfloat16(), UsageError, 1180,
                 "precision bfloat16 is not for this network, whose passes are written by hand in "
                 "float32; leave --precision out");
  check_bfloat16(parameters_.values().device());
}

Along Net::along(const NetInput& input, const Tensor& directions) {
  const bool goes_back = at::GradMode::is_enabled();
  const at::AutoGradMode graph(true);
  NetInput asked = input;
  if (!asked.x.requires_grad()) asked.x = asked.x.detach().requires_grad_();
  const Tensor output = forward(asked);
  const std::int64_t rows = output.size(0);
  std::vector<Tensor> products;
  for (std::int64_t k = 0; k < directions.size(0); ++k) {
    const Tensor z = directions[k].expand({rows, directions.size(2)}).reshape(output.sizes());
    products.push_back(torch::autograd::grad({output}, {asked.x}, {z}, true, goes_back)
                           .front()
                           .reshape({rows, -1}));
  }
  const Tensor all = at::stack(products);
  return goes_back ? Along{output, all} : Along{output.detach(), all.detach()};
}

Tensor Net::features(const NetInput&) {
  throw UsageError(1170, "this network has no features; conv_classifier and mlp have");
}

Tensor Net::context_of(const Tensor&) {
  throw UsageError(1195, "this network attends to no text; unet does");
}

void Net::layers_at(std::int64_t places) {
  const auto& items = parameters_.items();
  for (; counted_ < items.size(); ++counted_) {
    const Tensor& value = items[counted_].value;
    if (value.dim() < 2) continue;  // a bias, a norm
    operations_ += 2.0 * static_cast<double>(value.numel()) * static_cast<double>(places);
    ++layers_;
  }
}

double Net::operations_at_once() const {
  return operations_ / static_cast<double>(std::max<std::size_t>(layers_, 1));
}

Tensor Net::run(const NetInput& input) {
  parameters_.require_gradients(true);
  const at::AutoGradMode graph(true);
  const Bfloat16 multiplications(precision_ == Precision::bfloat16);
  output_ = forward(input).to(at::kFloat);
  return output_.detach();
}

void Net::backward(const Tensor& output_gradient) {
  // Gradient mode off: gradients are added in place, into the buffer that they look into.
  torch::autograd::backward({output_}, {output_gradient});
  output_ = Tensor();
}

std::unique_ptr<Net> declare_net(const Network& network, const NetworkShape& shape) {
  GRADATIM_CHECK(shape.scores > 0 ? network.makes_scores() : network.makes_fields(), UsageError,
                 1170, "this network does not put out {}; leave out --network, or take {}",
                 shape.scores > 0 ? "scores of classes" : "a field",
                 shape.scores > 0 ? "conv_classifier or mlp" : "another one");
  GRADATIM_CHECK(
      shape.context == 0 || network.attends(), UsageError, 1170,
      "this network attends to no text; leave out the captions, or take unet for images");
  return std::unique_ptr<Net>(neural_function<MakeNet>(network.maker())(network.config(), shape));
}

std::unique_ptr<Net> make_net(const Network& network, const NetworkShape& shape,
                              at::Device device) {
  auto net = declare_net(network, shape);
  net->parameters().pack(device);
  net->parameters().init(shape.seed);
  return net;
}

std::unique_ptr<Net> load_net(const Network& network, const NetworkShape& shape,
                              const SafetensorsFile& file, const std::string& prefix) {
  auto net = declare_net(network, shape);
  net->parameters().check(file, prefix);
  net->parameters().pack();
  net->parameters().load(file, prefix);
  return net;
}

}  // namespace gradatim::neural
