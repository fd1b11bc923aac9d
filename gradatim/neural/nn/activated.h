// Nonlinearities by torch.
#pragma once

#include "gradatim/neural/network/mlp.h"
#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

Tensor activated(Activation kind, const Tensor& z);

}  // namespace gradatim::neural
