// Tensors and their derivatives: the part of torch that networks use, and the precompiled header of
// libgradatim_neural.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace gradatim::neural {

using at::Tensor;

}  // namespace gradatim::neural
