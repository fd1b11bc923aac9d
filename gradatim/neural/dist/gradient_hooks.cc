#include "gradatim/neural/dist/gradient_hooks.h"

#include <torch/csrc/autograd/utils/lambda_post_hook.h>

#include <memory>

namespace gradatim::neural {

GradientHooks::GradientHooks(std::vector<Tensor> parameters,
                             std::function<void(std::size_t)> call) {
  using torch::autograd::variable_list;
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    Node node = torch::autograd::impl::grad_accumulator(parameters[k]);
    const auto key = node->add_post_hook(std::make_unique<torch::autograd::utils::LambdaPostHook>(
        [call, k](const variable_list& outputs, const variable_list&) {
          call(k);
          return outputs;
        }));
    hooked_.push_back({std::move(node), key});
  }
}

GradientHooks::~GradientHooks() {
  for (const Hooked& each : hooked_) each.node->del_post_hook(each.key);
}

}  // namespace gradatim::neural
