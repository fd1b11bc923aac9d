#include "gradatim/neural/nn/activated.h"

namespace gradatim::neural {

Tensor activated(Activation kind, const Tensor& z) {
  switch (kind) {
    case Activation::silu: return at::silu(z);
    case Activation::gelu: return at::gelu(z);
    case Activation::relu: return at::relu(z);
    case Activation::selu: return at::selu(z);
    case Activation::tanh: return at::tanh(z);
  }
  return z;
}

}  // namespace gradatim::neural
