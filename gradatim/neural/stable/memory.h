// What drawing needs of memory, and how it does with less: an image is decoded in stripes, and
// conditions go through the U-Net one after the other. Attention never holds its scores.
#pragma once

#include <cstdint>

#include "gradatim/neural/stable/parts.h"

namespace gradatim::neural {

struct MemoryPlan {
  bool one_by_one = false;  // conditions of guidance
  std::int64_t tile = 0;    // pixels of a stripe; 0: images are decoded whole
};

/// For images of that size within so many bytes; 0: as much as it takes. `encodes`: whether it
/// starts from an image. UsageError GRD-1225 where they are too few, with what is needed.
MemoryPlan plan_memory(const StableParts& parts, std::int64_t height, std::int64_t width,
                       bool encodes, std::int64_t memory);

}  // namespace gradatim::neural
