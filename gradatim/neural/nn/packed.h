// Products and convolutions with weights that were packed once for oneDNN, which its plain layers
// do on every call. Where torch has none of these, weights stay as they are and so do the products.
#pragma once

#include <string_view>

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// Of a convolution.
struct Sliding {
  std::int64_t stride = 1, padding = 0;
};

/// Whether this torch has them.
bool has_packed_layers();

/// weight: [out, in], float32; `rows`: about so many it will be multiplied by.
Tensor packed_matrix(const Tensor& weight, std::int64_t rows);
/// x [..., in] -> [..., out]; bias: or undefined.
Tensor packed_linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

/// weight: [out, in, size, size], float32; `sizes`: about those of the images, channels-last.
Tensor packed_filters(const Tensor& weight, const Sliding& how, at::IntArrayRef sizes);
Tensor packed_convolution(const Tensor& x, const Tensor& weight, const Tensor& bias,
                          const Sliding& how);

/// What a packed weight is made of, to be put together again elsewhere: its bytes, and how oneDNN
/// laid them out, [bytes] of uint8.
std::string_view packed_bytes(const Tensor& weight);
Tensor packed_layout(const Tensor& weight);
/// A packed weight whose bytes are the caller's, who keeps them. Undefined where the layout is
/// none, or needs more bytes.
Tensor packed_view(std::string_view bytes, at::IntArrayRef sizes, std::string_view layout);

}  // namespace gradatim::neural
