// Images as rows of patches, the left to right of the top ones first, and where they lie.
#pragma once

#include "gradatim/neural/nn/tensor.h"

namespace gradatim::neural {

/// [rows, channels, height, width] -> [rows, patches, channels size size].
Tensor patches_of(const Tensor& images, std::int64_t size);
/// [rows, patches, size size channels] -> [rows, channels, height, width]. The other order within a
/// patch is that of the paper's code, whose weights would not fit otherwise.
Tensor images_of(const Tensor& patches, std::int64_t size, std::int64_t height, std::int64_t width);
/// [down across, width]: sines and cosines of the column, then of the row, a quarter each.
Tensor grid_embedding(std::int64_t down, std::int64_t across, std::int64_t width);

}  // namespace gradatim::neural
