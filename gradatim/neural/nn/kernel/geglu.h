// The gated nonlinearity of a transformer's perceptron (Shazeer 2020) in one pass over memory:
//
//   out = value gelu(gate),   rows of x: [value, gate]
#pragma once

#include <cstdint>

namespace gradatim::neural::kernel {

/// x: [rows, 2, inner], out: [rows, inner].
void geglu(std::int64_t rows, std::int64_t inner, const float* x, float* out);
/// Writes dx, like x, from the gradient by out.
void geglu_backward(std::int64_t rows, std::int64_t inner, const float* x, const float* dout,
                    float* dx);

}  // namespace gradatim::neural::kernel
