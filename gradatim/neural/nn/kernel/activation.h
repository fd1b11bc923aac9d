// Nonlinearities and their derivatives, over the blocks that perceptrons compute in.
#pragma once

#include <cstdint>

#include "gradatim/neural/network/mlp.h"

namespace gradatim::neural::kernel {

/// a = activation(z); `count` is a multiple of kBlock (product.h), and a may be z.
void activate(Activation kind, const float* z, float* a, std::int64_t count);
/// gradient *= activation'(z)
void activation_backward(Activation kind, const float* z, float* gradient, std::int64_t count);
/// a = activation(z), and what directions d [directions, count] become: activation'(z) d.
void activate_along(Activation kind, std::int64_t directions, std::int64_t count, const float* z,
                    const float* d, float* a, float* along);
/// The way back: of gradients by a and by `along`, in place, those by z and by d.
void activation_along_backward(Activation kind, std::int64_t directions, std::int64_t count,
                               const float* z, const float* d, float* gradient,
                               float* along_gradient);
/// sums += the sum of each row of x [height, kBlock].
void add_sums(const float* x, std::int64_t height, float* sums);

}  // namespace gradatim::neural::kernel
