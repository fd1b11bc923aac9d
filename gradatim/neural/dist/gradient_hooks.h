// GradientHooks: a call for every parameter whose gradient a backward pass has just added, on the
// thread that computes. They are taken away with it.
#pragma once

#include <functional>
#include <vector>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

class GradientHooks {
 public:
  /// Parameters that require gradients.
  GradientHooks(std::vector<Tensor> parameters, std::function<void(std::size_t parameter)> call);
  ~GradientHooks();
  GradientHooks(const GradientHooks&) = delete;
  GradientHooks& operator=(const GradientHooks&) = delete;

 private:
  // torch holds the node that adds a gradient weakly: without this the hooks would be lost.
  using Node = decltype(torch::autograd::impl::grad_accumulator(at::Tensor()));
  struct Hooked {
    Node node;
    std::uintptr_t key;
  };
  std::vector<Hooked> hooked_;
};

}  // namespace gradatim::neural
