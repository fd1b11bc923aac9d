// An energy of images: how near the means of their blocks come to those of a reference.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gradatim/process/guidance.h"

namespace gradatim::process {

/// -|pool(x) - pool(reference)|^2 / 2, pool the means of blocks x blocks parts of every channel; a
/// row of the sampling goes with a reference in turn. `shape` is {channels, height, width};
/// `references` [any rows, size of a sample]. UsageError GRD-1174 for other shapes and for more
/// blocks than pixels a side.
std::shared_ptr<const DataEnergy> block_means(std::span<const std::int64_t> shape,
                                              std::int64_t blocks, std::vector<double> references);

}  // namespace gradatim::process
