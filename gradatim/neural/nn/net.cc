#include "gradatim/neural/nn/net.h"

#include <fmt/format.h>

#include "gradatim/core/error.h"
#include "gradatim/neural/library.h"

namespace gradatim::neural {

Tensor Net::run(const NetInput& input) {
  parameters_.require_gradients(true);
  const at::AutoGradMode graph(true);
  output_ = forward(input);
  return output_.detach();
}

void Net::backward(const Tensor& output_gradient) {
  // Gradient mode off: gradients are added in place, into the buffer that they look into.
  torch::autograd::backward({output_}, {output_gradient});
  output_ = Tensor();
}

std::unique_ptr<Net> make_net(const Network& network, const NetworkShape& shape,
                              at::Device device) {
  GRADATIM_CHECK(shape.scores > 0 ? network.makes_scores() : network.makes_fields(), UsageError,
                 1170, "this network does not put out {}; leave out --network, or take {}",
                 shape.scores > 0 ? "scores of classes" : "a field",
                 shape.scores > 0 ? "conv_classifier or mlp" : "another one");
  std::unique_ptr<Net> net(neural_function<MakeNet>(network.maker())(network.config(), shape));
  net->parameters().pack(device);
  net->parameters().init(shape.seed);
  return net;
}

}  // namespace gradatim::neural
