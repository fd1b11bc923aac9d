// Nonlinearities of a layer's outputs and their derivatives, with its bias, one pass each.
#pragma once

#include <cstdint>

#include "gradatim/neural/network/mlp.h"

namespace gradatim::neural::kernel {

/// z += bias in every row, a = activation(z); [rows, width]. The result does not depend on how rows
/// are divided among calls.
void add_bias_activate(Activation kind, const float* bias, float* z, float* a, std::int64_t rows,
                       std::int64_t width);
/// gradient *= activation'(z), and bias_gradient += its sum over the rows.
void activation_backward(Activation kind, const float* z, float* gradient, float* bias_gradient,
                         std::int64_t rows, std::int64_t width);
/// x += bias in every row; sum += the rows of x.
void add_bias(const float* bias, float* x, std::int64_t rows, std::int64_t width);
void add_rows(const float* x, float* sum, std::int64_t rows, std::int64_t width);

}  // namespace gradatim::neural::kernel
